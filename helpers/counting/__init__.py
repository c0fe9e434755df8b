"""White blood cells of whole fields: detect and count them."""
