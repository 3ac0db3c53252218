/** A beating heart on a canvas: give it frames, it draws them; every cavity has the volume of its frame. */
import { Color, DoubleSide, FrontSide, GLSL3, Group, Matrix4, Mesh, PerspectiveCamera, Quaternion, type Ray, Scene, ShaderMaterial, type IUniform, Vector3, Vector4, WebGLRenderer } from "three";
import { anatomy, muscles, type PartName } from "./anatomy";
import { fatten, geometryOf, LEAFLET, meshOf, positions, type Rgb, RINGS, rowsOf } from "./build";
import { fine, PLAINER } from "./detail";
import { at, join, type Surface } from "./fields";
import { createFlow } from "./flow";
import { CHAMBERS, type FieldName, type HeartFrame, restingFrame, type ValveName, VALVES } from "./frame";
import { createGates } from "./gates";
import { grainTexture } from "./grain";
import { newPose, type Pose, poseTo, shapeOf } from "./motion";
import { type Anchor, createOverlay } from "./overlay";
import { colourOf } from "./palette";
import type { Scan } from "./scan";
import { createPictured, type Pictured } from "./pictured";
import { createSection, type Solid } from "./section";
import { FRAGMENT, VERTEX } from "./shader";
import { VALVE_SITES } from "./valves";
import { BODY, HEIGHT } from "./ventricles";
import { immerse, type Immersion } from "./xr";
import { type Plane, PLANES, standing, turnOf, VIEWS, type ViewName } from "./views";

export type { HeartFrame, FieldName, Immersion, PartName, Plane, ViewName };
export interface Stats { drawCalls: number; triangles: number; jsMs: number }
export interface Heart {
  show(frame: HeartFrame): void; view(name: ViewName): void; fade(part: PartName, alpha: number): void;
  cut(plane: ViewName | Plane | null): void; colour(field: FieldName | null): void; labels(on: boolean): void;
  turn(right: number, up: number): void; /** From now on the ventricles are those of pictures. */ picture(scan: Scan): void; /** The structure that a ray, in the axes of the heart [mm], passes nearest to. */ pick(ray: Ray): string | null;
  enterXR(acts: Immersion): Promise<XRSession>; /** Of what is drawn: lowest, highest, nearest, farthest [m of the scene]. */ bounds(): [number, number, number, number]; zoom(factor: number): void; resize(): void; stats(): Stats; dispose(): void;
}

const GROUND = 0x101820, LENS = 26, FILL = 0.88;
const RED: Rgb = [0.9, 0.1, 0.15], BLUE: Rgb = [0.2, 0.35, 0.9];
const PAINT: Record<PartName, Rgb> = {
  lv: RED, la: [0.86, 0.16, 0.2], rv: BLUE, ra: [0.24, 0.42, 0.92], wall: [0.85, 0.45, 0.4], papillary: [0.8, 0.36, 0.34], aorta: [0.8, 0.17, 0.16], descending: [0.8, 0.17, 0.16], pulmonary: [0.28, 0.42, 0.82],
  veins: [0.78, 0.24, 0.26], caval: [0.2, 0.32, 0.7], coronaries: [0.93, 0.36, 0.22],
  "mitral valve": LEAFLET, "aortic valve": LEAFLET, "tricuspid valve": LEAFLET, "pulmonary valve": LEAFLET, "mitral chordae": LEAFLET, "tricuspid chordae": LEAFLET,
};
/** What lies in the chambers shows only where they are cut open. */
const WITHIN: ReadonlySet<PartName> = new Set(["papillary", "mitral chordae", "tricuspid chordae"]);
const VESSELS: ReadonlySet<PartName> = new Set(["aorta", "descending", "pulmonary", "veins", "caval"]);
const CAVITIES = { lv: 1, rv: 1, la: 1, ra: 1 };
const MUSCLE: Rgb = [0.78, 0.42, 0.38];
const FAT: Rgb = [0.95, 0.79, 0.45], FAT_REACH = 7; // [mm]
const NEAR = 13, KNIFE = 2; // [mm] a valve that near before a standard cut, or one by hand, is shown, whole
/** How much the fibres of its muscle show. */
const FLESHY: Partial<Record<PartName, number>> = { lv: 0.6, rv: 0.8, la: 0.4, ra: 0.5, wall: 0.9, papillary: 0.8, aorta: 0.12, descending: 0.12, pulmonary: 0.12, veins: 0.12, caval: 0.12 };
const NAMED: readonly [text: string, short: string, part: PartName, at: Vector3, radius: number][] = [
  ["Left ventricle", "LV", "lv", new Vector3(-14, 9, 32), 36], ["Right ventricle", "RV", "rv", new Vector3(44, 2, 56), 36], ["Left atrium", "LA", "la", new Vector3(-16, -14, 112), 28], ["Right atrium", "RA", "ra", new Vector3(42, -16, 112), 28],
];
/** What pictures of the ventricles stand in for, and how much is left of what they do not show. */
const REPLACED: ReadonlySet<PartName> = new Set(["lv", "rv", "wall", "papillary", "coronaries", "mitral chordae", "tricuspid chordae"]);
const GHOST = 0.45;
const BRIEF = ["MV", "AV", "TV", "PV"]; // in the order of VALVES

const VESSEL = 15; // [mm]
/** Offset of a plane that goes with the valve plane [mm]. */
const heightOf = (plane: Plane, pose: Pose): number => (plane.offset * pose.weights[at.h]!) / HEIGHT;

const COARSE = 0.5; // pixels drawn for each of the page's, where no graphics card draws them
const ROUND = fine(20); // vertices round a vessel

export function createHeart(canvas: HTMLCanvasElement): Heart {
  const renderer = new WebGLRenderer({ canvas, antialias: !PLAINER, stencil: true, powerPreference: "high-performance" });
  renderer.setClearColor(GROUND);
  renderer.info.autoReset = true;
  const scene = new Scene(), camera = new PerspectiveCamera(LENS, 1, 0.02, 5), heart = new Group(), still = matchMedia("(prefers-reduced-motion: reduce)");
  // Scene in metres: x to the patient's left, y to the head, z to the front.
  const [x, y, z] = BODY;
  const toScene = new Matrix4().makeBasis(new Vector3(x[0], x[2], -x[1]), new Vector3(y[0], y[2], -y[1]), new Vector3(z[0], z[2], -z[1])).scale(new Vector3(1e-3, 1e-3, 1e-3));
  heart.matrixAutoUpdate = false; heart.matrix.copy(toScene); scene.add(heart);

  const parts = anatomy(), shape = shapeOf(parts), gates = createGates(), pose = newPose(), plane = new Vector4();
  const rest = newPose(), full = restingFrame();
  poseTo(pose, shape, full); poseTo(rest, shape, full);
  const shared = { w: { value: pose.weights }, twist: { value: 0 }, sway: { value: 0 }, opening: { value: new Vector4() }, stale: { value: 0 }, plane: { value: plane }, grains: { value: grainTexture() }, ...gates.uniforms };
  const own = new Map<PartName, { mesh: Mesh; rows: Float32Array; material: ShaderMaterial; alpha: IUniform<number>; section: IUniform<number>; colour: IUniform<Color> }>();
  for (const name of Object.keys(parts) as PartName[]) {
    const alpha = { value: name === "wall" ? 0.35 : 1 }, section = { value: -1 }, colour = { value: new Color().setRGB(...PAINT[name]) };
    const glass = name === "wall", valve = name.endsWith("valve");
    const material = new ShaderMaterial({
      glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, transparent: glass, depthWrite: !glass,
      uniforms: {
        ...shared, alpha: { value: alpha.value }, section, colour, gloss: { value: valve ? 0.3 : 0.8 }, painted: { value: valve || glass ? 1 : 0 }, glass: { value: glass ? 1 : 0 },
        fleshy: { value: FLESHY[name] ?? 0 }, holes: { value: name in CAVITIES ? 4 : 0 }, lip: { value: VESSELS.has(name) ? 1.8 : 0 },
      },
    });
    const mesh = new Mesh(geometryOf(name, parts[name], pose), material);
    mesh.frustumCulled = false; mesh.renderOrder = glass ? 5 : 1;
    heart.add(mesh); own.set(name, { mesh, rows: rowsOf(parts[name]), material, alpha, section, colour });
  }
  const solid = (s: Surface): Solid => ({ geometry: meshOf(s), vertexShader: VERTEX });
  const wall = own.get("wall")!;
  let section = createSection(shared, muscles().map(solid), [solid(join(...CHAMBERS.map((c) => parts[c])))], MUSCLE), pictured: Pictured | null = null, remarked = "";
  fatten(wall.mesh.geometry, own.get("coronaries")!.mesh.geometry, PAINT.wall, FAT, FAT_REACH);
  section.group.visible = false; heart.add(section.group);
  const flow = createFlow(shared.stale, gates);
  heart.add(flow.mesh);

  const overlay = createOverlay(canvas), turn = new Quaternion(), stats: Stats = { drawCalls: 0, triangles: 0, jsMs: 0 };
  let planeNow: Plane | null = null, field: FieldName | null = null, named = false, closer = 1, before = 0, frames = 0, mmPerPixel = 1, aged = false;

  /** How far a point lies before the cut [mm]; 0 without one. */
  const beforeCut = (p: Vector3): number => (planeNow ? p.x * plane.x + p.y * plane.y + p.z * plane.z - heightOf(planeNow, rest) : 0);
  function valveAt(name: ValveName): Vector3 {
    const site = VALVE_SITES.find((s) => s.name === name)!, p = positions(rowsOf({ fields: [site.centre], triangles: [], lids: [] }), rest);
    return new Vector3(p[0], p[1], p[2]);
  }
  /** Middle of the vertices at a share of a part's list: of a tube, a point on its axis. */
  function middle(part: PartName, share: number): Vector3 {
    const xyz = own.get(part)!.mesh.geometry.getAttribute("position"), n = Math.floor((share * xyz.count) / ROUND) * ROUND, sum = new Vector3(), p = new Vector3();
    for (let i = n; i < n + ROUND; i++) sum.add(p.fromBufferAttribute(xyz, i));
    return sum.multiplyScalar(rest.weights[at.k]! / ROUND);
  }

  const chambers = NAMED.map(([text, short, part, at, radius]) => ({ text, short, part, radius, from: at, at: at.clone() }));
  /** What is named: valves where they are now, chambers as far up the axis as they have shortened. */
  const anchors = (): Anchor[] => {
    const all: Anchor[] = chambers.filter((a) => own.get(a.part)!.alpha.value > 0.05 && !planeNow?.unseen?.includes(a.part));
    VALVES.forEach((v, i) => own.get(`${v} valve`)!.mesh.visible && all.push({ text: `${v[0]!.toUpperCase()}${v.slice(1)} valve`, short: BRIEF[i]!, at: gates.uniforms.centre.value[i]!, radius: gates.uniforms.wide.value[i]!, colour: `rgb(${RINGS[i]!.map((c) => Math.round(255 * c)).join(" ")})` }));
    if (!planeNow) all.push({ text: "Aorta", short: "Ao", at: middle("aorta", 0.2), radius: VESSEL }, { text: "Pulmonary trunk", short: "PT", at: middle("pulmonary", 0.2), radius: VESSEL }, { text: "Superior vena cava", short: "SVC", at: middle("caval", 0.3), radius: VESSEL });
    return all.filter((a) => a.colour || beforeCut(a.at) < NEAR);
  };
  function follow(): void {
    for (const a of chambers) a.at.set(a.from.x, a.from.y, (a.from.z * pose.weights[at.h]!) / (HEIGHT * pose.weights[at.k]!)).multiplyScalar(pose.weights[at.k]!);
    gates.follow(pose);
  }

  function points(): Float32Array {
    const kept: number[] = [], p = new Vector3(), at = heart.matrix;
    for (const [name, part] of own) {
      if (!part.mesh.visible) continue;
      const xyz = positions(own.get(name)!.rows, rest), cuts = planeNow !== null && part.section.value > 0;
      for (let i = 0; i < xyz.length; i += 9) {
        p.set(xyz[i]!, xyz[i + 1]!, xyz[i + 2]!);
        if (cuts && beforeCut(p) > 0) continue;
        p.applyMatrix4(at); kept.push(p.x, p.y, p.z);
      }
    }
    pictured?.each((x, y, z) => { p.set(x, y, z); if (!planeNow || beforeCut(p) <= 0) { p.applyMatrix4(at); kept.push(p.x, p.y, p.z); } });
    return Float32Array.from(kept);
  }

  function bounds(): [number, number, number, number] {
    const all = points(), of = (i: number): number[] => Array.from(all.filter((_, n) => n % 3 === i)), y = of(1), z = of(2);
    const least = (a: number[]): number => a.reduce((m, x) => Math.min(m, x), Infinity), most = (a: number[]): number => a.reduce((m, x) => Math.max(m, x), -Infinity);
    return [least(y), most(y), most(z), least(z)];
  }

  function fit(): void {
    if (renderer.xr.isPresenting) return; // the head is the camera
    const wide = Math.max(1, canvas.clientWidth), high = Math.max(1, canvas.clientHeight), tan = Math.tan((LENS * Math.PI) / 360);
    const { eye, distance } = standing(points(), turn, tan, wide / high, FILL);
    camera.quaternion.copy(turn);
    const ahead = new Vector3(0, 0, -1).applyQuaternion(turn);
    camera.position.copy(eye).addScaledVector(ahead, distance * (1 - 1 / closer));
    camera.fov = LENS; camera.zoom = 1; camera.aspect = wide / high; camera.updateProjectionMatrix(); camera.updateMatrixWorld();
    mmPerPixel = (2e3 * tan * (distance / closer)) / high;
    overlay.place(camera, heart.matrix, named ? anchors() : [], mmPerPixel);
  }

  function resize(): void {
    if (renderer.xr.isPresenting) return;
    renderer.setPixelRatio(PLAINER ? COARSE : Math.min(2, devicePixelRatio));
    renderer.setSize(canvas.clientWidth, canvas.clientHeight, false);
    fit();
  }

  function show(frame: HeartFrame): void {
    const began = performance.now();
    poseTo(pose, shape, frame, pictured?.follow(frame));
    shared.twist.value = pose.twist; shared.sway.value = pose.sway; shared.stale.value = frame.stale ? 1 : 0;
    const o = frame.opening;
    shared.opening.value.set(o.mitral, o.aortic, o.tricuspid, o.pulmonary);
    if (field) for (let i = 0; i < CHAMBERS.length; i++) colourOf(field, frame.field[field][CHAMBERS[i]!], own.get(CHAMBERS[i]!)!.colour.value);
    if (pictured) remark(pictured);
    if (planeNow) plane.w = heightOf(planeNow, pose);
    flow.mesh.visible = !still.matches && !frame.stale;
    follow();
    flow.update(frame, Math.min(0.1, Math.max(0, (began - before) / 1e3)));
    before = began;
    if (frame.stale !== aged) { aged = frame.stale; overlay.stale(aged); }
    if (Math.abs(pose.weights[at.k]! - rest.weights[at.k]!) > 1e-3) { // another patient: framed anew, at the end of diastole
      Object.assign(full.volume, frame.endDiastole); Object.assign(full.endDiastole, frame.endDiastole);
      poseTo(rest, shape, full); fit();
    }
    if (named && !renderer.xr.isPresenting) overlay.follow(camera, heart.matrix);
    overlay.beat(frame.stale ? "N" : frame.kind);
    renderer.render(scene, camera);
    stats.drawCalls = renderer.info.render.calls; stats.triangles = renderer.info.render.triangles;
    // The first frames compile shaders and upload the meshes.
    if (++frames > 10) stats.jsMs += (performance.now() - began - stats.jsMs) * (stats.jsMs === 0 ? 1 : 0.05);
  }

  function cut(wanted: ViewName | Plane | null): void {
    planeNow = typeof wanted === "string" ? PLANES[wanted] : wanted;
    if (planeNow) { plane.set(...planeNow.normal, heightOf(planeNow, rest)); section.turn(plane); }
    for (const [name, part] of own) part.section.value = planeNow && !name.endsWith("valve") ? 1 : -1;
    const near = typeof wanted === "string" ? NEAR : KNIFE;
    for (const [i, v] of VALVES.entries()) {
      const part = own.get(`${v} valve`)!;
      part.mesh.visible = part.alpha.value > 0.01 && beforeCut(valveAt(v)) < near;
      flow.seen.setComponent(i, part.mesh.visible ? 1 : 0);
    }
    for (const name of own.keys()) if (!name.endsWith("valve")) dress(name);
    fit();
  }

  /** A wall is glass over the chambers until it is cut; what lies in the chambers shows only then. */
  function dress(name: PartName): void {
    const part = own.get(name)!, { alpha, material, mesh } = part, glassy = name === "wall" && !planeNow;
    if (pictured) { pictured.dress(own.get("lv")!.alpha.value, own.get("wall")!.alpha.value, planeNow !== null); section.group.visible = planeNow !== null && wall.alpha.value > 0.05; }
    mesh.visible = !(pictured && REPLACED.has(name)) && alpha.value > 0.01 && !planeNow?.hides?.includes(name) && (!WITHIN.has(name) || planeNow !== null);
    material.side = name === "wall" && planeNow ? FrontSide : DoubleSide; // its inside is behind the face of the cut
    material.uniforms["glass"]!.value = glassy ? 1 : 0;
    material.uniforms["alpha"]!.value = name === "wall" && planeNow && alpha.value > 0.01 ? 1 : alpha.value;
    material.transparent = glassy || (alpha.value < 1 && name !== "wall"); material.depthWrite = !glassy && (name === "wall" || alpha.value > 0.6);
    material.uniforms["holes"]!.value = name in CAVITIES ? 4 : name === "wall" && planeNow ? 11 : 0;
    if (name === "wall" && !pictured) section.group.visible = planeNow !== null && alpha.value > 0.05;
  }

  function fade(name: PartName, alpha: number): void {
    own.get(name)!.alpha.value = alpha;
    dress(name); fit();
  }

  /** Says in place of the remark on drawn hearts what is shown, anew where the page or the reach of the pictures changes. */
  function remark(shown: Pictured): void {
    const plain = canvas.closest("#view-patient") !== null, state = `${plain} ${shown.beyond()}`;
    if (state === remarked) return;
    const line = canvas.parentElement?.querySelector<HTMLElement>(".heart-remark, .heart-pictured");
    if (!line) return;
    remarked = state; line.className = "heart-pictured";
    [line.textContent, line.title] = shown.said(plain);
  }

  /** Ventricles out of pictures take the place of drawn ones; what the pictures do not show stays, and pales. */
  function picture(scan: Scan): void {
    pictured?.dispose();
    pictured = createPictured(scan, shared, { left: own.get("lv")!.colour, right: own.get("rv")!.colour });
    heart.add(pictured.group); pictured.follow(full);
    const [x, y, z] = scan.axes as [number[], number[], number[]], column = ([r, f, h]: number[]): Vector3 => new Vector3(-r!, h, f); // RAS: the scene's x is left
    toScene.makeBasis(column(x), column(y), column(z)).scale(new Vector3(1e-3, 1e-3, 1e-3));
    heart.matrix.copy(toScene);
    heart.remove(section.group); section.dispose();
    section = createSection(shared, [pictured.outside], pictured.cavities, MUSCLE);
    section.group.visible = false; heart.add(section.group);
    for (const [name, part] of own) if (!REPLACED.has(name) && !name.endsWith("valve")) part.alpha.value = GHOST;
    cut(planeNow); view("anterior");
  }

  function colour(wanted: FieldName | null): void {
    field = wanted;
    overlay.legend(field);
    if (!field) for (const c of CHAMBERS) own.get(c)!.colour.value.setRGB(...PAINT[c]);
    fit();
  }

  const spin = new Quaternion(), xAxis = new Vector3(1, 0, 0), yAxis = new Vector3(0, 1, 0);
  function turnBy(right: number, up: number): void {
    turn.multiply(spin.setFromAxisAngle(yAxis, -right)).multiply(spin.setFromAxisAngle(xAxis, up)).normalize();
    fit();
  }
  const zoom = (factor: number): void => { closer = Math.min(6, Math.max(0.5, closer * factor)); fit(); };
  const view = (name: ViewName): void => { turn.copy(turnOf(VIEWS[name], heart.matrix)); closer = 1; fit(); };

  const pick = (ray: Ray): string | null => anchors().map((a) => ({ text: a.text, far: ray.distanceToPoint(a.at) / a.radius })).filter((a) => a.far < 1).sort((a, b) => a.far - b.far)[0]?.text ?? null;

  /** The cut of a headset's knife goes when the headset does: the page is left as it was. */
  async function enterXR(acts: Immersion): Promise<XRSession> {
    const cutBefore = planeNow;
    const knife = (normal: Vector3, point: Vector3): void => cut({ normal: [normal.x, normal.y, normal.z], offset: (normal.dot(point) * HEIGHT) / pose.weights[at.h]! });
    const push = (mm: number): void => { const now = planeNow ?? PLANES["four-chamber"]!; cut({ ...now, offset: now.offset - mm }); };
    return immerse(renderer, scene, heart, toScene, { pick, knife, push, uncut: () => cut(null) }, { ...acts, ended: () => { cut(cutBefore); resize(); acts.ended?.(); } });
  }

  const heard = new AbortController(), { signal } = heard;
  canvas.addEventListener("pointerdown", (e) => canvas.setPointerCapture(e.pointerId), { signal });
  canvas.addEventListener("pointermove", (e) => { if (canvas.hasPointerCapture(e.pointerId) && e.isPrimary) turnBy(e.movementX / 160, -e.movementY / 160); }, { signal });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 800)); }, { signal, passive: false });
  const KEYS: Record<string, () => void> = {
    ArrowLeft: () => turnBy(-0.12, 0), ArrowRight: () => turnBy(0.12, 0), ArrowUp: () => turnBy(0, 0.12), ArrowDown: () => turnBy(0, -0.12), "+": () => zoom(1.15), "-": () => zoom(1 / 1.15),
  };
  canvas.addEventListener("keydown", (e) => { const act = KEYS[e.key]; if (act) { e.preventDefault(); act(); } }, { signal });
  canvas.style.touchAction = "none";
  const watch = new ResizeObserver(resize);
  watch.observe(canvas);
  follow(); WITHIN.forEach(dress); view("anterior"); resize();

  return {
    show, view, fade, cut, colour, picture, resize, zoom, pick, turn: turnBy,
    enterXR, bounds,
    labels: (on) => { named = on; fit(); },
    stats: () => stats,
    dispose: () => {
      heard.abort(); watch.disconnect(); overlay.remove();
      for (const { mesh, material } of own.values()) { mesh.geometry.dispose(); material.dispose(); }
      section.dispose(); pictured?.dispose(); shared.grains.value.dispose(); flow.mesh.geometry.dispose(); (flow.mesh.material as ShaderMaterial).dispose();
      renderer.dispose();
    },
  };
}
