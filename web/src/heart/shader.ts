/**
 * The one law of motion on the graphics card: eight displacement fields are attributes, their weights
 * uniforms; then each slice across the axis turns (twist) and slides (sway), neither of which changes a volume.
 */
import { GRAINS } from "./grain";
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
out vec3 local, eye, facing, paint, rest;
void main() {
  float opens = dot(opening, vec4(equal(vec4(valve), vec4(0.0, 1.0, 2.0, 3.0))));
  vec3 p = fo * (opens * w[0]) + ${each((i) => `f${i} * w[${i}]`, " + ")};
  local = turned(p);
  vec4 seen = modelViewMatrix * vec4(local, 1.0);
  eye = seen.xyz; facing = normalMatrix * normal; paint = tint; rest = position;
  gl_Position = projectionMatrix * seen;
}`;

/** A mesh out of pictures: places and normals of its vertices at each phase are rows of textures. */
export const SCAN_VERTEX = `
uniform highp sampler2D places, normals; uniform vec3 between; uniform float lift;
out vec3 local, eye, facing, paint, rest;
vec3 at(highp sampler2D rows) {
  return mix(texelFetch(rows, ivec2(gl_VertexID, int(between.x)), 0).xyz, texelFetch(rows, ivec2(gl_VertexID, int(between.y)), 0).xyz, between.z);
}
void main() {
  local = at(places) + vec3(0.0, 0.0, lift);
  vec4 seen = modelViewMatrix * vec4(local, 1.0);
  eye = seen.xyz; facing = normalMatrix * at(normals); paint = vec3(0.8, 0.44, 0.4); rest = position;
  gl_Position = projectionMatrix * seen;
}`;

/** Fibres of muscle, which wind about the axis: noise drawn out along a helix, still on the muscle as it moves. */
const FIBRES = `
uniform highp sampler3D grains;
float noise(vec3 p) { return texture(grains, p / ${GRAINS}.0).r; }
float fibres(vec3 p) {
  float c = cos(0.03 * p.z), s = sin(0.03 * p.z);
  vec3 q = vec3(c * p.x - s * p.y, s * p.x + c * p.y, 0.13 * p.z);
  return 0.6 * noise(0.4 * q) + 0.4 * noise(1.1 * q);
}`;

/** The valves as holes: whether a point is within one of the rings. */
const HOLES = `
uniform vec3 centre[4]; uniform vec3 axis[4]; uniform float wide[4];
bool inValve(vec3 p, float deep) {
  for (int i = 0; i < 4; i++) {
    vec3 d = p - centre[i]; float along = dot(d, axis[i]);
    if (abs(along) < deep && dot(d, d) - along * along < wide[i] * wide[i]) return true;
  }
  return false;
}`;

/** Light of a theatre lamp from the upper left, a weak one from the lower right, and the room; in linear light. */
const LIGHT = `
uniform float stale;
const vec3 LAMP = normalize(vec3(-0.35, 0.65, 0.7)), WEAK = normalize(vec3(0.7, -0.2, 0.5));
vec3 lighted(vec3 base, vec3 n, vec3 v, float gloss, float shade) {
  float key = max((dot(n, LAMP) + 0.15) / 1.15, 0.0), fill = max(dot(n, WEAK), 0.0), rim = pow(1.0 - abs(dot(n, v)), 3.0), h = max(dot(n, normalize(v + LAMP)), 0.0);
  vec3 room = mix(vec3(0.15, 0.12, 0.13), vec3(0.30, 0.33, 0.38), 0.5 + 0.5 * n.y);
  return shade * (base * (room + 0.82 * key * vec3(1.0, 0.96, 0.9) + 0.20 * fill * vec3(0.85, 0.92, 1.0) + 0.4 * rim)
    + gloss * (0.22 * pow(h, 70.0) + 0.05 * pow(h, 14.0)) * vec3(1.0, 0.97, 0.94));
}
vec3 linear(vec3 c) { return pow(c, vec3(2.2)); }
vec3 screen(vec3 lit) {
  vec3 c = pow(min(lit, 1.0), vec3(1.0 / 2.2));
  return mix(c, vec3(dot(c, vec3(0.3, 0.59, 0.11)) * 0.8 + 0.06), stale * 0.94);
}`;

export const FRAGMENT = `
precision highp float;
in vec3 local, eye, facing, paint, rest;
uniform vec3 colour; uniform float alpha, gloss, painted, glass, fleshy, holes, lip, section; uniform vec4 plane;
out vec4 shown;
${FIBRES}${HOLES}${LIGHT}
void main() {
  float before = dot(plane.xyz, local) - plane.w;
  bool back = !gl_FrontFacing;
  if (section > 0.5 && (before > 0.0 || (glass > 0.5 && back))) discard;
  if (holes > 0.5 && inValve(local, holes)) discard;
  vec3 v = normalize(-eye), n = normalize(facing);
  if (dot(n, v) < 0.0) n = -n;
  float grain = fleshy > 0.0 ? fibres(rest) : 0.5;
  vec3 sx = dFdx(eye), sy = dFdy(eye), rx = cross(sy, n), ry = cross(n, sx);
  float det = dot(sx, rx);
  n = normalize(abs(det) * n - fleshy * 2.2e-4 * sign(det) * (dFdx(grain) * rx + dFdy(grain) * ry));
  vec3 base = linear(mix(colour, paint, painted)) * (1.0 + fleshy * (grain - 0.5) * 0.45);
  if (section > 0.5 && before > -lip) { base = linear(vec3(0.93, 0.72, 0.66)); n = v; } // the edge of a vessel's wall
  // Inside a hollow that the cut has opened it grows darker with the depth.
  float shade = section > 0.5 && back ? mix(0.9, 0.4, smoothstep(0.0, 60.0, -before)) : 1.0;
  vec3 lit = lighted(base, n, v, gloss, shade);
  float rim = pow(1.0 - abs(dot(n, v)), 2.5);
  shown = vec4(screen(lit), min(alpha * mix(1.0, 0.85 + 1.3 * rim, glass), 1.0));
}`;

/** The face of the muscle where it is cut: a square in the plane, drawn where the stencil says muscle. */
export const FACE_VERTEX = `
uniform vec4 plane; uniform vec3 across, along, middle; uniform float w[${COUNT}];
out vec3 local, eye, facing;
void main() {
  vec3 m = middle * w[0];
  local = m - plane.xyz * (dot(plane.xyz, m) - plane.w) + (position.x * across + position.y * along) * w[0];
  vec4 seen = modelViewMatrix * vec4(local, 1.0);
  eye = seen.xyz; facing = normalMatrix * plane.xyz;
  gl_Position = projectionMatrix * seen;
}`;
export const FACE_FRAGMENT = `
precision highp float;
in vec3 local, eye, facing;
uniform vec3 colour; out vec4 shown;
${FIBRES}${LIGHT}
void main() { // nothing is discarded, so that the stencil is asked before the work is done
  vec3 v = normalize(-eye), n = normalize(facing);
  if (dot(n, v) < 0.0) n = -n;
  vec3 base = linear(colour) * (0.72 + 0.56 * (0.6 * noise(local * vec3(0.5, 0.5, 0.22)) + 0.4 * noise(local * 1.1)));
  shown = vec4(screen(lighted(base, n, v, 0.15, 1.0)), 1.0);
}`;
/** Only which side of the plane: it writes the stencil and no colour. */
export const MARK_FRAGMENT = `
precision highp float;
in vec3 local; uniform vec4 plane; out vec4 shown;
void main() { if (dot(plane.xyz, local) > plane.w) discard; shown = vec4(1.0); }`;

export const FLOW_VERTEX = `
in vec2 corner; in vec4 seed; in float gate;
uniform vec3 centre[4]; uniform vec3 axis[4]; uniform float jet[4]; uniform vec4 travelled, amount, speed, seen4;
out float fades, backward; out vec2 across;
float pick(vec4 v, float i) { return dot(v, vec4(equal(vec4(i), vec4(0.0, 1.0, 2.0, 3.0)))); }
void main() {
  int i = int(gate + 0.5);
  float flow = pick(amount, gate), along = fract(seed.x + pick(travelled, gate));
  vec3 z = axis[i], x = normalize(cross(z, vec3(0.31, 0.9, 0.2))), y = cross(z, x);
  float r = jet[i] * sqrt(seed.y) * (0.75 + 0.4 * abs(along - 0.45)), t = 6.2831853 * seed.z;
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
