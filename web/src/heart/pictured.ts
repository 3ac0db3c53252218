/** Ventricles out of pictures, on the stage in place of drawn ones. */
import { Color, DataTexture, DoubleSide, FrontSide, GLSL3, Group, type IUniform, Mesh, ShaderMaterial, Vector3 } from "three";
import type { HeartFrame } from "./frame";
import { type Between, finder, type Scan, scanGeometry, type ScanName } from "./scan";
import type { Solid } from "./section";
import { FRAGMENT, SCAN_VERTEX } from "./shader";
import { HEIGHT } from "./ventricles";

export interface Pictured {
  group: Group; outside: Solid; cavities: Solid[];
  /** Moves to the volume of a frame; gives the height of the valve plane [mm]. */ follow(frame: HeartFrame): number;
  /** How much of chambers and wall is seen, and whether they are cut. */ dress(chambers: number, wall: number, cut: boolean): void;
  /** Whether the twin's volume goes beyond what was pictured. */ beyond(): boolean;
  /** What is shown, in few words and in full: `plain` for the patient. */ said(plain: boolean): [brief: string, full: string];
  /** Some of its points at the end of diastole [mm]. */ each(seen: (x: number, y: number, z: number) => void): void;
  dispose(): void;
}
interface Colours { left: IUniform<Color>; right: IUniform<Color> }
const OUTSIDE = new Color(0.8, 0.44, 0.4);

export function createPictured(scan: Scan, shared: Record<string, IUniform<unknown>>, colours: Colours): Pictured {
  const group = new Group(), between = { value: new Vector3(scan.full, scan.full, 0) }, lift = { value: 0 }, find = finder(scan), made = new Map<ScanName, { mesh: Mesh; material: ShaderMaterial; solid: Solid; textures: DataTexture[] }>();
  let now: Between = { from: scan.full, to: scan.full, share: 0, beyond: false }, outOfRange = false, full = 0;
  for (const part of scan.parts) {
    const { geometry, places, normals } = scanGeometry(part, scan.phases, scan.full), own = { places: { value: places }, normals: { value: normals }, between, lift };
    const outside = part.name === "left_ventricle_outside", left = part.name === "left_ventricle";
    const material = new ShaderMaterial({
      glslVersion: GLSL3, vertexShader: SCAN_VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, transparent: outside, depthWrite: !outside,
      uniforms: {
        ...shared, ...own, alpha: { value: outside ? 0.35 : 1 }, section: { value: -1 }, colour: outside ? { value: OUTSIDE } : left ? colours.left : colours.right,
        gloss: { value: 0.8 }, painted: { value: 0 }, glass: { value: outside ? 1 : 0 }, fleshy: { value: outside ? 0.9 : 0.6 }, holes: { value: 0 }, lip: { value: 0 },
      },
    });
    const mesh = new Mesh(geometry, material);
    mesh.frustumCulled = false; mesh.renderOrder = outside ? 5 : 1;
    group.add(mesh);
    made.set(part.name, { mesh, material, solid: { geometry, vertexShader: SCAN_VERTEX, uniforms: own }, textures: [places, normals] });
  }
  const of = (name: ScanName): NonNullable<ReturnType<typeof made.get>> => made.get(name)!;

  function follow(frame: HeartFrame): number {
    if (frame.endDiastole.lv !== full) { full = frame.endDiastole.lv; outOfRange = false; }
    now = find(frame.volume.lv, full, frame.opening.aortic, frame.opening.mitral);
    outOfRange ||= now.beyond;
    between.value.set(now.from, now.to, now.share);
    lift.value = HEIGHT * Math.cbrt(full / 120) - scan.base[scan.full]!;
    return scan.base[now.from]! + now.share * (scan.base[now.to]! - scan.base[now.from]!) + lift.value;
  }
  function dress(chambers: number, wall: number, cut: boolean): void {
    for (const [name, { mesh, material }] of made) {
      const outside = name === "left_ventricle_outside", alpha = outside ? (cut && wall > 0.01 ? 1 : wall) : chambers, glassy = outside && !cut;
      mesh.visible = alpha > 0.01;
      material.side = outside && cut ? FrontSide : DoubleSide; // its inside is behind the face of the cut
      material.uniforms["alpha"]!.value = alpha; material.uniforms["glass"]!.value = glassy ? 1 : 0; material.uniforms["section"]!.value = cut ? 1 : -1;
      material.transparent = glassy || alpha < 1; material.depthWrite = !glassy && alpha > 0.6;
    }
  }
  const day = scan.date || "a day not told";
  return {
    group, outside: of("left_ventricle_outside").solid, cavities: [of("left_ventricle").solid, of("right_ventricle").solid], follow, dress,
    beyond: () => outOfRange,
    said: (plain) => plain
      ? ["Your pumping chambers from your pictures; the rest is drawn", `The pumping chambers are from your pictures of ${day}; the rest is drawn in your size.`]
      : [`Ventricles from images of ${day}${outOfRange ? ", at their limit" : ""}; the rest is drawn`,
        `Ventricles from images of ${day}, at the phase that has the twin's LV volume${outOfRange ? ", which goes beyond the images" : ""}; atria, vessels and valves are drawn to size`],
    each: (seen) => {
      for (const { mesh } of made.values()) {
        const xyz = mesh.geometry.getAttribute("position");
        for (let v = 0; v < xyz.count; v += 3) seen(xyz.getX(v), xyz.getY(v), xyz.getZ(v) + lift.value);
      }
    },
    dispose: () => { group.removeFromParent(); for (const { mesh, material, textures } of made.values()) { mesh.geometry.dispose(); material.dispose(); textures.forEach((t) => t.dispose()); } },
  };
}
