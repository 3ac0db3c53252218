/** Noise for the grain of muscle: a cube of chance that repeats, looked up and not worked out in each pixel. */
import { Data3DTexture, LinearFilter, RedFormat, RepeatWrapping } from "three";

export const GRAINS = 32; // a side of the cube

export function grainTexture(): Data3DTexture {
  let seed = 1;
  const data = Uint8Array.from({ length: GRAINS ** 3 }, () => { seed = (seed * 16807) % 2147483647; return seed & 255; }); // Park and Miller's generator
  const made = new Data3DTexture(data, GRAINS, GRAINS, GRAINS);
  made.format = RedFormat; made.minFilter = made.magFilter = LinearFilter; made.wrapS = made.wrapT = made.wrapR = RepeatWrapping; made.unpackAlignment = 1;
  made.needsUpdate = true;
  return made;
}
