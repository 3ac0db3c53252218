/** The heart at life size before a headset: the scene is in metres, so nothing is scaled. */
import { BufferGeometry, type Group, Line, LineBasicMaterial, Matrix4, Quaternion, Ray, type Scene, Vector3, type WebGLRenderer, type XRTargetRaySpace } from "three";

/** What the page does with the controllers. */
export interface Immersion {
  /** Called in each frame of the headset: show the heart. */
  frame(): void;
  /** A trigger was pulled; the ray of the controller in the axes of the heart [mm]. */
  pick?(ray: Ray): void;
  /** A thumbstick was pushed sideways, -1 to 1 in each frame. */
  scrub?(push: number): void;
  ended?(): void;
}
const BEFORE = new Vector3(0, 1.2, -0.45); // [m] of the floor; eye height of one who sits
const REACH = 2, DEAD = 0.15; // [m] of the ray; push of a thumbstick that is none

/** Begins an immersive session, as a user's act only; rejects where there is no headset. */
export async function immerse(renderer: WebGLRenderer, scene: Scene, heart: Group, toScene: Matrix4, acts: Immersion): Promise<XRSession> {
  if (!navigator.xr) throw new Error("This browser has no WebXR; open the page in the headset's own browser.");
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType("local-floor");
  await renderer.xr.setSession(session);
  heart.matrix.copy(new Matrix4().makeTranslation(BEFORE).multiply(toScene)).multiply(new Matrix4().makeTranslation(-15, -5, -70));
  const hands = [0, 1].map((i) => renderer.xr.getController(i)), line = new BufferGeometry().setFromPoints([new Vector3(), new Vector3(0, 0, -REACH)]);
  const paint = new LineBasicMaterial({ color: 0xe6edf3 }), rays = hands.map(() => new Line(line, paint)), inverse = new Matrix4(), held = new Matrix4();
  let holding: XRTargetRaySpace | null = null;
  const pick = (hand: XRTargetRaySpace) => (): void => {
    const from = new Vector3().setFromMatrixPosition(hand.matrixWorld), way = new Vector3(0, 0, -1).applyQuaternion(new Quaternion().setFromRotationMatrix(hand.matrixWorld));
    acts.pick?.(new Ray(from, way).applyMatrix4(inverse.copy(heart.matrix).invert()));
  };
  const hold = (hand: XRTargetRaySpace) => (): void => { holding = hand; held.copy(hand.matrixWorld).invert().multiply(heart.matrix); };
  const drop = (): void => { holding = null; };
  const undo = hands.map((hand, i) => {
    const picks = pick(hand), holds = hold(hand);
    hand.add(rays[i]!); scene.add(hand);
    hand.addEventListener("select", picks); hand.addEventListener("squeezestart", holds); hand.addEventListener("squeezeend", drop);
    return () => { hand.removeEventListener("select", picks); hand.removeEventListener("squeezestart", holds); hand.removeEventListener("squeezeend", drop); hand.remove(rays[i]!); scene.remove(hand); };
  });
  renderer.setAnimationLoop(() => {
    if (holding) { heart.matrix.multiplyMatrices(holding.matrixWorld, held); heart.matrixWorldNeedsUpdate = true; }
    for (const source of session.inputSources) {
      const push = source.gamepad?.axes[2] ?? 0;
      if (Math.abs(push) > DEAD) acts.scrub?.(push);
    }
    acts.frame();
  });
  session.addEventListener("end", () => {
    renderer.setAnimationLoop(null); renderer.xr.enabled = false;
    for (const u of undo) u();
    line.dispose(); paint.dispose();
    heart.matrix.copy(toScene); heart.matrixWorldNeedsUpdate = true;
    acts.ended?.();
  });
  return session;
}
