/**
 * The face of the muscle in a cut. What lies behind the plane turns one bit of the stencil for each
 * surface on the way: an odd bit is the inside of a closed shape. Muscle is inside the heart and
 * outside its cavities, which stay open, so that one looks into them.
 */
import { AlwaysStencilFunc, type BufferGeometry, Color, DoubleSide, EqualStencilFunc, GLSL3, Group, InvertStencilOp, KeepStencilOp, Mesh, PlaneGeometry, ShaderMaterial, type IUniform, Vector3, Vector4 } from "three";
import type { Rgb } from "./build";
import { FACE_FRAGMENT, FACE_VERTEX, MARK_FRAGMENT } from "./shader";

const CAVITY = 8; // bit of the cavities
/** Of each shape, in a heart of 120 mL: its middle, and a side of the square that holds it in any cut [mm]. */
const HOLDS: readonly [Vector3, number][] = [[new Vector3(16, 2, 45), 190], [new Vector3(-12, -15, 108), 110], [new Vector3(38, -15, 108), 120]];
/** A closed shape, and what moves it. */
export interface Solid { geometry: BufferGeometry; vertexShader: string; uniforms?: Record<string, IUniform<unknown>> }
export interface Section { group: Group; /** The face follows the plane's turn. */ turn(plane: Vector4): void; dispose(): void }

export function createSection(shared: Record<string, IUniform<unknown>>, shapes: readonly Solid[], cavities: readonly Solid[], muscle: Rgb): Section {
  const group = new Group(), across = new Vector3(1, 0, 0), along = new Vector3(0, 1, 0), made: Mesh<BufferGeometry, ShaderMaterial>[] = [];
  const add = (mesh: (typeof made)[number], order: number): void => { mesh.frustumCulled = false; mesh.renderOrder = order; group.add(mesh); made.push(mesh); };
  [...shapes, ...cavities].forEach((s, i) => add(new Mesh(s.geometry, new ShaderMaterial({
    glslVersion: GLSL3, vertexShader: s.vertexShader, fragmentShader: MARK_FRAGMENT, side: DoubleSide, uniforms: { ...shared, ...s.uniforms }, colorWrite: false, depthWrite: false, depthTest: false,
    stencilWrite: true, stencilFunc: AlwaysStencilFunc, stencilZPass: InvertStencilOp, stencilWriteMask: i < shapes.length ? 1 << i : CAVITY,
  })), -3));
  shapes.forEach((_, i) => add(new Mesh(new PlaneGeometry(HOLDS[i]![1], HOLDS[i]![1]), new ShaderMaterial({
    glslVersion: GLSL3, vertexShader: FACE_VERTEX, fragmentShader: FACE_FRAGMENT, side: DoubleSide,
    uniforms: { ...shared, across: { value: across }, along: { value: along }, middle: { value: HOLDS[i]![0] }, colour: { value: new Color().setRGB(...muscle) } },
    stencilWrite: true, stencilWriteMask: 0, stencilFunc: EqualStencilFunc, stencilRef: 1 << i, stencilFuncMask: (1 << i) | CAVITY, stencilZPass: KeepStencilOp,
  })), -2));
  return {
    group,
    turn(plane) {
      const n = new Vector3(plane.x, plane.y, plane.z);
      across.set(0, 0, 1).cross(n);
      if (across.lengthSq() < 1e-6) across.set(1, 0, 0);
      along.copy(n).cross(across.normalize());
    },
    dispose() { for (const { geometry, material } of made) { geometry.dispose(); material.dispose(); } },
  };
}
