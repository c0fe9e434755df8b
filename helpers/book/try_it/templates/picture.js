// Reading of a picture that the reader chose: what helpers.images refuses is refused here, with the remedy.
class Refused extends Error {}
const MAX_BYTES = 30e6, MAX_PIXELS = 16e6, MIN_SIDE = 24;
const SIGNATURES = { PNG: [0x89, 0x50, 0x4e, 0x47], JPEG: [0xff, 0xd8, 0xff], GIF: [0x47, 0x49, 0x46, 0x38],
  WebP: [0x52, 0x49, 0x46, 0x46], BMP: [0x42, 0x4d] };

// Whether a file has several frames: GIF by the blocks between them, PNG by its chunk acTL, WebP by a flag.
function isAnimated(kind, file) {
  const u32 = at => new DataView(file.buffer).getUint32(at), text = at => String.fromCharCode(...file.subarray(at, at + 4));
  if (kind === "WebP") return text(12) === "VP8X" && (file[20] & 2) > 0;
  if (kind === "PNG") {
    for (let at = 8; at + 8 <= file.length && text(at + 4) !== "IDAT"; at += 12 + u32(at)) {
      if (text(at + 4) === "acTL") return true;
    }
  }
  if (kind !== "GIF") return false;
  const table = packed => packed & 0x80 ? 3 << ((packed & 7) + 1) : 0;
  let at = 13 + table(file[10]), frames = 0;
  const skipBlocks = () => { while (file[at]) at += file[at] + 1; at++; };
  while (file[at] === 0x21 || file[at] === 0x2c) {
    const isFrame = file[at] === 0x2c;
    if (isFrame && ++frames > 1) return true;
    at += isFrame ? 11 + table(file[at + 9]) : 2;
    skipBlocks();
  }
  return false;
}

// The pixels of a file, upright and over white: { name, height, width, rgb }. The message of a refusal is for the reader.
async function readPicture(blob, name) {
  if (!blob.size) throw new Refused(`${name} is empty. Choose another file.`);
  if (blob.size > MAX_BYTES) {
    throw new Refused(`${name} has ${Math.round(blob.size / 1e6)} MB, and at most ${MAX_BYTES / 1e6} fit. Crop it to one cell.`);
  }
  const file = new Uint8Array(await blob.arrayBuffer());
  const kind = Object.keys(SIGNATURES).find(key => SIGNATURES[key].every((byte, k) => file[k] === byte));
  if (!kind) throw new Refused(`${name} is not a picture in ${Object.keys(SIGNATURES).join(", ")}. Save it as PNG.`);
  if (isAnimated(kind, file)) throw new Refused(`${name} has several frames. Save the one that you mean as PNG.`);
  if (kind === "PNG" && file[24] === 16) throw new Refused(`${name} has 16 bits per channel. Save it with 8 bits.`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  } catch {
    throw new Refused(`${name} cannot be decoded: it is damaged or far too large. Save it again as PNG.`);
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    throw new Refused(`${name} has ${width} × ${height} pixels, and at most ${MAX_PIXELS / 1e6} million fit. Crop it to one cell.`);
  }
  if (Math.min(width, height) < MIN_SIDE) {
    throw new Refused(`${name} has ${width} × ${height} pixels; no side may have fewer than ${MIN_SIDE}. Take a larger picture.`);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data, rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  if (rgb.every((value, k) => value === rgb[k % 3])) {
    throw new Refused(`${name} has one single colour, so there is no cell on it. Choose another file.`);
  }
  return { name, height, width, rgb, canvas };
}
