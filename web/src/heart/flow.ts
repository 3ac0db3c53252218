/** Streaks through the valves, one instanced draw call: how many says how much flows, how fast says how fast. */
import { DoubleSide, GLSL3, InstancedBufferAttribute, InstancedBufferGeometry, BufferAttribute, Mesh, ShaderMaterial, Vector4, type IUniform } from "three";
import { type HeartFrame, VALVES } from "./frame";
import type { Gates } from "./gates";
import { FLOW_FRAGMENT, FLOW_VERTEX } from "./shader";

const PER_VALVE = 64, FULL = 450, LEAK = 60; // [mL/s] at which all streaks are seen, forward and backward
const SPAN = 44; // [mm] that a streak travels

export interface Flow { mesh: Mesh; /** Whether the valves, in their order, are in the picture. */ seen: Vector4; update(frame: HeartFrame, seconds: number): void }

/** A low-discrepancy sequence: the streaks look scattered and are the same each time. */
const spread = (n: number, base: number): number => { let f = 1, r = 0; for (let i = n + 1; i > 0; i = Math.floor(i / base)) { f /= base; r += f * (i % base); } return r; };

export function createFlow(stale: IUniform<number>, gates: Gates): Flow {
  const g = new InstancedBufferGeometry(), n = PER_VALVE * VALVES.length;
  g.setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]), 3));
  g.setAttribute("corner", new BufferAttribute(new Float32Array([-1, -1, 1, -1, 1, 1, -1, 1]), 2));
  g.setIndex([0, 1, 2, 0, 2, 3]);
  g.setAttribute("seed", new InstancedBufferAttribute(Float32Array.from({ length: 4 * n }, (_, i) => spread(Math.floor(i / 4) % PER_VALVE, [2, 3, 5, 7][i % 4]!)), 4));
  g.setAttribute("gate", new InstancedBufferAttribute(Float32Array.from({ length: n }, (_, i) => Math.floor(i / PER_VALVE)), 1));
  g.instanceCount = n;
  const u = {
    ...gates.uniforms, jet: { value: VALVES.map(() => 0) },
    travelled: { value: new Vector4() }, amount: { value: new Vector4() }, speed: { value: new Vector4() }, seen4: { value: new Vector4(1, 1, 1, 1) }, stale,
  };
  const mesh = new Mesh(g, new ShaderMaterial({ glslVersion: GLSL3, vertexShader: FLOW_VERTEX, fragmentShader: FLOW_FRAGMENT, uniforms: u, transparent: true, depthTest: false, depthWrite: false, side: DoubleSide }));
  mesh.frustumCulled = false; mesh.renderOrder = 9;
  function update(frame: HeartFrame, seconds: number): void {
    for (let i = 0; i < VALVES.length; i++) {
      const name = VALVES[i]!, flow = frame.flow[name], r = gates.uniforms.wide.value[i]!;
      // A leak passes a small hole: a narrow, fast jet.
      u.jet.value[i] = flow < 0 ? 0.25 * r : r * (0.3 + 0.45 * frame.opening[name]);
      u.amount.value.setComponent(i, Math.abs(flow) < 3 ? 0 : flow < 0 ? Math.max(-1, flow / LEAK) : Math.min(1, flow / FULL));
      const speed = flow / (Math.PI * u.jet.value[i]! ** 2 * 1e-2) / 100; // mean speed [m/s]
      u.speed.value.setComponent(i, 4 * speed);
      const went = u.travelled.value.getComponent(i) + (Math.sign(speed) * Math.min(Math.abs(speed), 2) * 220 * seconds) / SPAN; // shown at about a fifth of its speed
      u.travelled.value.setComponent(i, went - Math.floor(went));
    }
  }
  return { mesh, seen: u.seen4.value, update };
}
