// A network as steps from map to map. A map is { height, width, channels, values }, row after row, the channels of a
// pixel next to each other, as in Keras; so are the kernels: the filters of one input value are next to each other.

function floats(text) {
  const packed = bytes(text);
  return new Float32Array(packed.buffer, 0, packed.length / 4);
}

function emptyMap(height, width, channels) {
  return { height, width, channels, values: new Float32Array(height * width * channels) };
}

// A convolution with zeros around the map. After a ReLU half of the values are 0, and add nothing.
function convolve(map, { side, filters, relu }, kernel, bias) {
  const { height, width, channels, values } = map, result = emptyMap(height, width, filters), out = result.values;
  const reach = (side - 1) / 2, sum = new Float64Array(filters);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += filters) {
      for (let f = 0; f < filters; f++) sum[f] = bias[f];
      for (let ky = Math.max(0, reach - y); ky < Math.min(side, height + reach - y); ky++) {
        for (let kx = Math.max(0, reach - x); kx < Math.min(side, width + reach - x); kx++) {
          let from = ((y + ky - reach) * width + x + kx - reach) * channels;
          let weight = (ky * side + kx) * channels * filters;
          for (let c = 0; c < channels; c++, from++, weight += filters) {
            const value = values[from];
            if (value === 0) continue;
            for (let f = 0; f < filters; f++) sum[f] += value * kernel[weight + f];
          }
        }
      }
      for (let f = 0; f < filters; f++) out[to + f] = relu && sum[f] < 0 ? 0 : sum[f];
    }
  }
  return result;
}

// A transposed convolution of side 2 and stride 2: every pixel becomes four. Its kernel is (2, 2, channels, filters).
function upscale(map, { filters }, kernel, bias) {
  const { height, width, channels, values } = map, result = emptyMap(2 * height, 2 * width, filters);
  for (let y = 0; y < 2 * height; y++) {
    for (let x = 0; x < 2 * width; x++) {
      const from = ((y >> 1) * width + (x >> 1)) * channels, to = (y * 2 * width + x) * filters;
      const corner = ((y & 1) * 2 + (x & 1)) * channels * filters;
      for (let f = 0; f < filters; f++) {
        let sum = bias[f];
        for (let c = 0; c < channels; c++) sum += values[from + c] * kernel[corner + c * filters + f];
        result.values[to + f] = sum;
      }
    }
  }
  return result;
}

function scaled(map, step, scale, offset) {
  const channels = map.channels;
  return { ...map, values: map.values.map((value, i) => value * scale[i % channels] + offset[i % channels]) };
}

function pooled(map) {
  const { height, width, channels, values } = map, result = emptyMap(height / 2, width / 2, channels);
  for (let y = 0, to = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let c = 0; c < channels; c++, to++) {
        const at = (y * width + x) * channels + c, below = at + width * channels;
        result.values[to] = Math.max(values[at], values[at + channels], values[below], values[below + channels]);
      }
    }
  }
  return result;
}

function joined(maps) {
  const result = emptyMap(maps[0].height, maps[0].width, maps.reduce((sum, map) => sum + map.channels, 0));
  let first = 0;
  for (const { channels, values } of maps) {
    for (let from = 0, to = first; from < values.length; from += channels, to += result.channels) {
      result.values.set(values.subarray(from, from + channels), to);
    }
    first += channels;
  }
  return result;
}

function averaged({ height, width, channels, values }) {
  const sum = new Float64Array(channels);
  values.forEach((value, i) => { sum[i % channels] += value; });
  return { height: 1, width: 1, channels, values: Float32Array.from(sum, value => value / (height * width)) };
}

function softmax(map) {
  const { channels } = map, values = map.values.slice();
  for (let from = 0; from < values.length; from += channels) {
    const pixel = values.subarray(from, from + channels), largest = Math.max(...pixel);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += pixel[c] = Math.exp(pixel[c] - largest);
    for (let c = 0; c < channels; c++) pixel[c] /= sum;
  }
  return { ...map, values };
}

const OPERATIONS = { convolve, upscale, scale: scaled, pool: pooled, average: averaged, softmax };

// A function from the values 0 to 255 of a square picture to the maps that the network puts out.
function network({ size, steps, outputs, weights }) {
  const numbers = floats(weights);
  return rgb => {
    const maps = [{ height: size, width: size, channels: 3, values: Float32Array.from(rgb) }];
    for (const step of steps) {
      const [first] = step.inputs, arrays = step.weights.map(([start, length]) => numbers.subarray(start, start + length));
      maps.push(step.operation === "join" ? joined(step.inputs.map(k => maps[k]))
        : OPERATIONS[step.operation](maps[first], step, ...arrays));
    }
    return outputs.map(k => maps[k]);
  };
}
