/** Colours of a field: viridis, which grows lighter steadily and is read alike by the colour-blind. */
import type { FieldName } from "./frame";

const STOPS = [[0.267, 0.005, 0.329], [0.231, 0.318, 0.545], [0.129, 0.569, 0.549], [0.369, 0.788, 0.384], [0.993, 0.906, 0.144]] as const;
export const RANGES: Record<FieldName, { low: number; high: number; factor: number; unit: string; title: string }> = {
  pressure: { low: 0, high: 120, factor: 1, unit: "mmHg", title: "Pressure" },
  strain: { low: -0.3, high: 0, factor: 100, unit: "%", title: "Strain" },
  saturation: { low: 0.4, high: 1, factor: 100, unit: "%", title: "Oxygen saturation" },
};

/** Writes the colour of a value into `out`; values outside the range take its ends. */
export function colourOf(field: FieldName, value: number, out: { setRGB(r: number, g: number, b: number): unknown }): void {
  const { low, high } = RANGES[field], q = Math.min(1, Math.max(0, (value - low) / (high - low))) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(q)), f = q - i, a = STOPS[i]!, b = STOPS[i + 1]!;
  out.setRGB(a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1]), a[2] + f * (b[2] - a[2]));
}

export const gradient = (): string => `linear-gradient(to right, ${STOPS.map((s) => `rgb(${s.map((c) => Math.round(255 * c)).join(" ")})`).join(", ")})`;
