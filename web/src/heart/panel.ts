/** Words under the heart in a headset; the smallest letters are 1.5 degrees high from where one stands. */
import { CanvasTexture, DoubleSide, Mesh, MeshBasicMaterial, PlaneGeometry, SRGBColorSpace } from "three";

const WIDE = 0.56, TALL = 0.15, PX = 1536; // [m], [m], px of the width
const LINES = [[58, "#ffffff", "700"], [44, "#c9a8ff", "600"], [38, "#c9d6e2", "400"], [38, "#c9d6e2", "400"], [38, "#ffd64a", "600"], [38, "#ffd64a", "600"]] as const; // [px], colour and weight of each line

export function createPanel(): { mesh: Mesh; say(lines: readonly string[]): void; dispose(): void } {
  const canvas = document.createElement("canvas");
  canvas.width = PX; canvas.height = Math.round((PX * TALL) / WIDE);
  const pen = canvas.getContext("2d")!, texture = new CanvasTexture(canvas), material = new MeshBasicMaterial({ map: texture, side: DoubleSide });
  texture.colorSpace = SRGBColorSpace;
  const mesh = new Mesh(new PlaneGeometry(WIDE, TALL), material);
  return {
    mesh,
    say(lines) {
      pen.fillStyle = "#10161d"; pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.textAlign = "center"; pen.textBaseline = "top";
      let y = 30;
      for (const [i, [size, colour, weight]] of LINES.entries()) {
        pen.font = `${weight} ${size}px system-ui, "DejaVu Sans", sans-serif`; pen.fillStyle = colour;
        pen.fillText(lines[i] ?? "", PX / 2, y, PX - 40);
        y += size * (i % 2 ? 1.5 : 1.25);
      }
      texture.needsUpdate = true;
    },
    dispose() { mesh.geometry.dispose(); material.dispose(); texture.dispose(); },
  };
}
