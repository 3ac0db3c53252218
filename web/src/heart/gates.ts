/** Where the valves are now: one set of uniforms for the holes that they are and for the flow through them. */
import { type IUniform, Vector3 } from "three";
import { rowsOf } from "./build";
import { at } from "./fields";
import { VALVES } from "./frame";
import { type Pose, vertexAt } from "./motion";
import { VALVE_SITES } from "./valves";

export interface Gates { /** In the order of VALVES, in axes of the heart [mm]. */ uniforms: { centre: IUniform<Vector3[]>; axis: IUniform<Vector3[]>; wide: IUniform<number[]> }; follow(pose: Pose): void }

export function createGates(): Gates {
  const sites = VALVES.map((name) => VALVE_SITES.find((v) => v.name === name)!), rows = sites.map((s) => rowsOf({ fields: [s.centre], triangles: [], lids: [] })), spot = new Float32Array(3);
  const uniforms = { centre: { value: sites.map(() => new Vector3()) }, axis: { value: sites.map((s) => new Vector3(...s.axis)) }, wide: { value: sites.map((s) => s.radius) } };
  function follow(pose: Pose): void {
    for (let i = 0; i < sites.length; i++) {
      vertexAt(rows[i]!, 0, pose, 0, spot);
      uniforms.centre.value[i]!.set(spot[0]!, spot[1]!, spot[2]!);
      uniforms.wide.value[i] = sites[i]!.radius * pose.weights[at.k]!;
    }
  }
  return { uniforms, follow };
}
