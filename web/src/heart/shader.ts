/**
 * The one law of motion on the graphics card: eight displacement fields are attributes, their weights
 * uniforms; then each slice across the axis turns (twist) and slides (sway), neither of which changes a volume.
 */
import { COUNT } from "./fields";

const each = (text: (i: number) => string, glue: string): string => Array.from({ length: COUNT }, (_, i) => text(i)).join(glue);

export const MOVE = `
uniform float w[${COUNT}]; uniform float twist; uniform float sway;
vec3 turned(vec3 p) {
  float low = max(0.0, 1.0 - p.z / w[1]), c = cos(twist * low), s = sin(twist * low);
  return vec3(c * p.x - s * p.y + sway * low * low, s * p.x + c * p.y, p.z);
}`;

export const VERTEX = `
${each((i) => `in vec3 f${i};`, "\n")}
in vec3 fo; in vec3 tint; in float valve;
uniform vec4 opening;
${MOVE}
out vec3 local, eye, facing, paint;
void main() {
  float opens = dot(opening, vec4(equal(vec4(valve), vec4(0.0, 1.0, 2.0, 3.0))));
  vec3 p = fo * (opens * w[0]) + ${each((i) => `f${i} * w[${i}]`, " + ")};
  local = turned(p);
  vec4 seen = modelViewMatrix * vec4(local, 1.0);
  eye = seen.xyz; facing = normalMatrix * normal; paint = tint;
  gl_Position = projectionMatrix * seen;
}`;

export const FRAGMENT = `
precision highp float;
in vec3 local, eye, facing, paint;
uniform vec3 colour; uniform float alpha, gloss, painted, glass, section, stale, slab; uniform vec4 plane; uniform vec3 muscle;
out vec4 shown;
void main() {
  float before = dot(plane.xyz, local) - plane.w;
  if (section > -0.5 && (before > 0.0 || before < -slab || (glass > 0.5 && !gl_FrontFacing))) discard;
  vec3 base = mix(colour, paint, painted);
  vec3 v = normalize(-eye), n = normalize(facing);
  bool back = !gl_FrontFacing;
  if (dot(n, v) < 0.0) n = -n;
  float key = max(dot(n, normalize(vec3(-0.35, 0.65, 0.7))), 0.0), fill = max(dot(n, normalize(vec3(0.7, -0.2, 0.5))), 0.0);
  float rim = pow(1.0 - abs(dot(n, v)), 2.5);
  float shine = pow(max(dot(n, normalize(v + normalize(vec3(-0.35, 0.65, 0.7)))), 0.0), 36.0);
  vec3 lit = base * (0.30 + 0.62 * key + 0.22 * fill) + gloss * shine * 0.38 + rim * base * 0.25;
  // The first surface behind the cut tells what was cut: the inside of a closed part that part, the outside of a
  // cavity the muscle about it. Shown flat, that reads as the face of the section.
  if (section > 0.5 && back) lit = base * 0.9;
  if (section > 1.5 && !back) lit = muscle * 0.9;
  float grey = dot(lit, vec3(0.3, 0.59, 0.11));
  lit = mix(lit, vec3(grey * 0.8 + 0.08), stale * 0.92);
  float a = alpha * mix(1.0, 0.9 + 1.1 * rim, glass);
  shown = vec4(pow(lit, vec3(1.0 / 1.12)), min(a, 1.0));
}`;

export const FLOW_VERTEX = `
in vec2 corner; in vec4 seed; in float gate;
uniform vec3 centre[4]; uniform vec3 axis[4]; uniform float wide[4]; uniform vec4 travelled, amount, speed, seen4;
out float fades, backward; out vec2 across;
float pick(vec4 v, float i) { return dot(v, vec4(equal(vec4(i), vec4(0.0, 1.0, 2.0, 3.0)))); }
void main() {
  int i = int(gate + 0.5);
  float flow = pick(amount, gate), along = fract(seed.x + pick(travelled, gate));
  vec3 z = axis[i], x = normalize(cross(z, vec3(0.31, 0.9, 0.2))), y = cross(z, x);
  float r = wide[i] * sqrt(seed.y) * (0.75 + 0.4 * abs(along - 0.45)), t = 6.2831853 * seed.z;
  vec3 p = centre[i] + x * cos(t) * r + y * sin(t) * r + z * (along * 44.0 - (flow < 0.0 ? 28.0 : 16.0));
  vec4 seen = modelViewMatrix * vec4(p, 1.0);
  vec2 way = (modelViewMatrix * vec4(z, 0.0)).xy; float scale = length(modelViewMatrix[0].xyz);
  way = length(way) > 1e-6 ? normalize(way) : vec2(0.0, 1.0);
  float len = clamp(abs(pick(speed, gate)), 1.2, 6.0) * length((modelViewMatrix * vec4(z, 0.0)).xy) / scale + 0.8;
  seen.xy += (way * corner.y * len + vec2(-way.y, way.x) * corner.x * 0.5) * scale;
  fades = step(seed.w, abs(flow)) * pick(seen4, gate) * sin(3.14159 * along); backward = flow < 0.0 ? 1.0 : 0.0; across = corner;
  gl_Position = projectionMatrix * seen;
}`;

export const FLOW_FRAGMENT = `
precision highp float;
in float fades, backward; in vec2 across; out vec4 shown; uniform float stale;
void main() {
  float soft = (1.0 - across.x * across.x) * (1.0 - across.y * across.y);
  if (soft * fades < 0.02) discard;
  shown = vec4(mix(vec3(1.0, 0.97, 0.90), vec3(0.94, 0.89, 0.26), backward), soft * fades * 0.7 * (1.0 - stale));
}`;
