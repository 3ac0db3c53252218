/** The two atria. */
import { fine } from "./detail";
import { type Field, lidded, plus, sheet, type Surface, type Vec3 } from "./fields";
import { bell, HEIGHT, ofBody } from "./ventricles";

/** An atrium: an egg on the valve plane, with an ear. */
interface Atrium { weight: "l" | "r"; septum: number; side: 1 | -1; middle: number; drift: number; tall: number; wide: Vec3; ear: Vec3; earAt: number }
export const LEFT: Atrium = { weight: "l", septum: 10, side: -1, middle: -11, drift: -7, tall: 47, wide: [1, 0.98, 0], ear: [0.75, -0.55, 0.45], earAt: 0.3 };
export const RIGHT: Atrium = { weight: "r", septum: 14, side: 1, middle: -14, drift: -4, tall: 46, wide: [1.2, 0.98, 0], ear: [0.05, -0.85, 0.5], earAt: 0.36 };

function atriumAt(c: Atrium, u: number, q: number, wall: number): Field {
  const t = 2 * Math.PI * u, p = Math.sqrt(Math.max(0, 1 - ((q - 0.42) / 0.58) ** 2));
  const ear = ofBody(c.ear), turn = t - Math.atan2(ear[1], ear[0]);
  const r = p * (1 + 0.75 * bell(Math.atan2(Math.sin(turn), Math.cos(turn)), 0.36) * bell(q - c.earAt, 0.22));
  const body: Vec3 = [c.wide[0] * (Math.cos(t) * r + c.side), c.wide[1] * Math.sin(t) * r, 0];
  return { k: plus([c.septum, c.middle + c.drift * q, (HEIGHT + c.tall) * q + 1], [p * Math.cos(t), p * Math.sin(t), Math.max(0, 2 * q - 0.8)], wall), h: [0, 0, 1 - q], [c.weight]: body };
}

export function atrium(c: Atrium, wall = 0): Surface {
  // The mesh begins at the roof, so that its last row is the one that the valve plane closes.
  const n = fine(48), s = sheet(n, fine(28), true, (u, v) => atriumAt(c, 1 - u, 1 - v ** 1.4, wall));
  return lidded(s, n, { k: [c.septum, c.middle, 1], h: [0, 0, 1], [c.weight]: [c.side * c.wide[0], 0, 0] });
}
