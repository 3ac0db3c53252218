/**
 * The heart at life size before a headset: the scene is in metres, so nothing is scaled. Only the head
 * moves the view. The right trigger names what the ray passes, the left hand is a knife while its
 * trigger is held; a thumbstick sideways moves time, the right one up and down the cut; a squeeze holds the heart.
 */
import { BufferGeometry, type Group, Line, LineBasicMaterial, Matrix4, Quaternion, Ray, type Scene, Vector3, type WebGLRenderer, type XRTargetRaySpace } from "three";
import { createPanel } from "./panel";

/** What the page does in a headset. */
export interface Immersion {
  /** Called in each frame of the headset: show the heart. */
  frame(): void;
  /** Moves the time that is shown by so many seconds; returns how far it is behind now, in words. */
  scrub?(seconds: number): string;
  /** What stands on the panel under the heart has changed. */
  said?(words: string): void;
  ended?(): void;
}
/** What the heart itself does in a headset; rays and points are in its axes [mm]. */
export interface Handled { pick(ray: Ray): string | null; knife(normal: Vector3, point: Vector3): void; push(mm: number): void; uncut(): void }

const AWAY = 0.42, LOWEST = 0.9; // [m] before the eyes; of the heart over the floor, where the floor is known
const MIDDLE = new Vector3(15, 5, 70); // of the heart, in its axes [mm]
const REACH = 2, DEAD = 0.15, PACE = 1.2, GLIDE = 40; // [m] of a ray; push that is none; [s/s] of time; [mm/s] of the plane
const UNCUT = 4; // button of the left hand
const HELP = [
  "Right trigger: name a part. Left trigger: cut. X: whole again.", "Stick: time, and depth of the cut. Squeeze: hold the heart.",
  "Parametric heart scaled to the patient; no images.", "Simulated: for research, not for clinical use.",
];

/** Begins an immersive session, as a user's act only; rejects where there is no headset. */
export async function immerse(renderer: WebGLRenderer, scene: Scene, heart: Group, toScene: Matrix4, handled: Handled, acts: Immersion): Promise<XRSession> {
  if (!navigator.xr) throw new Error("This browser has no WebXR; open the page in the headset's own browser.");
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType("local-floor");
  await renderer.xr.setSession(session);
  const hands = [0, 1].map((i) => renderer.xr.getController(i)), sides: XRHandedness[] = ["none", "none"];
  const line = new BufferGeometry().setFromPoints([new Vector3(), new Vector3(0, 0, -REACH)]), paint = new LineBasicMaterial({ color: 0xe6edf3 });
  const rays = hands.map(() => new Line(line, paint)), panel = createPanel(), inverse = new Matrix4(), held = new Matrix4(), spot = new Vector3(), way = new Vector3(), turned = new Quaternion();
  let holding: XRTargetRaySpace | null = null, cutting: XRTargetRaySpace | null = null, named = "Point at the heart", time = "live", placed = false, before = 0;
  const say = (): void => { panel.say([named, time, ...HELP]); acts.said?.(`${named}; ${time}`); };
  const aim = (hand: XRTargetRaySpace, axis: Vector3): Matrix4 => {
    spot.setFromMatrixPosition(hand.matrixWorld); way.copy(axis).applyQuaternion(turned.setFromRotationMatrix(hand.matrixWorld));
    return inverse.copy(heart.matrix).invert();
  };
  const FORTH = new Vector3(0, 0, -1), UP = new Vector3(0, 1, 0);

  const undo = hands.map((hand, i) => {
    const heard = {
      connected: (e: { data: XRInputSource }) => { sides[i] = e.data.handedness; },
      selectstart: () => { if (sides[i] === "left") cutting = hand; },
      selectend: () => { if (cutting === hand) cutting = null; },
      select: () => { if (sides[i] !== "left") { const to = aim(hand, FORTH); named = handled.pick(new Ray(spot, way).applyMatrix4(to)) ?? "Nothing there"; say(); } },
      squeezestart: () => { holding = hand; held.copy(hand.matrixWorld).invert().multiply(heart.matrix); },
      squeezeend: () => { if (holding === hand) holding = null; },
    };
    const names = Object.keys(heard) as (keyof typeof heard)[];
    hand.add(rays[i]!); scene.add(hand);
    for (const name of names) hand.addEventListener(name, heard[name] as never);
    return () => { for (const name of names) hand.removeEventListener(name, heard[name] as never); hand.remove(rays[i]!); scene.remove(hand); };
  });

  /** Before the eyes, once the head is known; never moved after that but by a hand. */
  function place(): void {
    const { cameras } = renderer.xr.getCamera(), eyes = new Vector3(), ahead = FORTH.clone().applyQuaternion(cameras[0]!.quaternion).setY(0);
    for (const eye of cameras) eyes.addScaledVector(eye.position, 1 / cameras.length);
    if (ahead.lengthSq() < 1e-4) ahead.copy(FORTH);
    const at = eyes.clone().addScaledVector(ahead.normalize(), AWAY);
    if (eyes.y > LOWEST) at.y = Math.max(LOWEST, at.y);
    const facing = new Matrix4().makeRotationY(Math.atan2(-ahead.x, -ahead.z));
    heart.matrix.copy(new Matrix4().makeTranslation(at).multiply(facing).multiply(toScene)).multiply(new Matrix4().makeTranslation(MIDDLE.clone().negate()));
    heart.matrixWorldNeedsUpdate = true;
    panel.mesh.position.copy(at).add(new Vector3(0, -0.16, 0)); panel.mesh.lookAt(eyes);
    scene.add(panel.mesh); say();
    placed = true;
  }

  function sticks(seconds: number): void {
    for (const { handedness, gamepad } of session.inputSources) {
      const push = gamepad?.axes[2] ?? 0, lift = gamepad?.axes[3] ?? 0;
      if (Math.abs(push) > DEAD && acts.scrub) { const now = acts.scrub(push * PACE * seconds); if (now !== time) { time = now; say(); } }
      if (Math.abs(lift) > DEAD && handedness === "right") handled.push(-lift * GLIDE * seconds);
      if (handedness === "left" && gamepad?.buttons[UNCUT]?.pressed) handled.uncut();
    }
  }

  renderer.setAnimationLoop((now) => {
    const seconds = Math.min(0.1, Math.max(0, (now - before) / 1e3));
    before = now;
    if (!placed && renderer.xr.getCamera().cameras.length) place();
    if (holding) { heart.matrix.multiplyMatrices(holding.matrixWorld, held); heart.matrixWorldNeedsUpdate = true; }
    // The blade lies flat in the hand: what is above it is cut away.
    if (cutting) { const to = aim(cutting, UP); handled.knife(way.transformDirection(to), spot.applyMatrix4(to)); }
    sticks(seconds);
    acts.frame();
  });
  session.addEventListener("end", () => {
    renderer.setAnimationLoop(null); renderer.xr.enabled = false;
    for (const u of undo) u();
    scene.remove(panel.mesh); panel.dispose(); line.dispose(); paint.dispose();
    heart.matrix.copy(toScene); heart.matrixWorldNeedsUpdate = true;
    acts.ended?.();
  });
  return session;
}
