/**
 * TensorBoard's event files: scalars only, without a protobuf package.
 *
 * A file is a sequence of TFRecords (length as u64le, masked CRC-32C of the length, data, masked CRC-32C of the data), each
 * of them a protobuf message `Event`:
 *
 *     Event   { 1 double wall_time; 2 int64 step; 3 string file_version; 5 Summary summary; 7 SessionLog session_log }
 *     Summary { 1 repeated Value { 1 string tag; 2 float simple_value } }
 *     SessionLog { 1 enum status (START = 1) }
 *
 * Source: https://github.com/tensorflow/tensorboard, tensorboard/compat/proto/{event,summary}.proto.
 */

/** A value's name, such as `loss/head_1` (what stands before the slash makes a group of charts), and the value. */
export type Scalar = readonly [tag: string, value: number];

/** The record that every event file begins with. */
export function fileVersion(seconds: number): Uint8Array<ArrayBuffer> {
  return record(message(double(1, seconds), text(3, "brain.Event:2")));
}

/** Tells a reader to drop what earlier files of the folder say of `step` and of later ones: a run goes on from there. */
export function sessionStart(seconds: number, step: number): Uint8Array<ArrayBuffer> {
  return record(message(double(1, seconds), int(2, step), bytes(7, message(int(1, 1)))));
}

/** Scalars of one step. */
export function scalars(seconds: number, step: number, values: readonly Scalar[]): Uint8Array<ArrayBuffer> {
  const summary = values.map(([tag, value]) => bytes(1, message(text(1, tag), float(2, value))));
  return record(message(double(1, seconds), int(2, step), bytes(5, message(...summary))));
}

/** Frames data as a TFRecord. */
function record(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(16 + data.length);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(framed.subarray(0, 8))), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return framed;
}

/** CRC-32C (Castagnoli): the reflected polynomial, by bytes. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The CRC-32C of some bytes. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** So that a CRC over data that hold CRCs stays a good one. */
const masked = (crc: number): number => ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;

/** Wire types of protobuf. */
const VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5;

function message(...fields: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    joined.set(field, at);
    at += field.length;
  }
  return joined;
}

/** A whole number from 0 to 2^53. */
function varint(value: number): number[] {
  const digits = [];
  for (; value > 127; value = Math.floor(value / 128)) digits.push(value % 128 | 128);
  return [...digits, value];
}

const key = (field: number, wireType: number): number => field << 3 | wireType; // fields up to 15: one byte

const int = (field: number, value: number): Uint8Array => Uint8Array.of(key(field, VARINT), ...varint(value));

const double = (field: number, value: number): Uint8Array =>
  Uint8Array.of(key(field, FIXED64), ...new Uint8Array(Float64Array.of(value).buffer));

const float = (field: number, value: number): Uint8Array =>
  Uint8Array.of(key(field, FIXED32), ...new Uint8Array(Float32Array.of(value).buffer));

const bytes = (field: number, value: Uint8Array): Uint8Array =>
  message(Uint8Array.of(key(field, LENGTH), ...varint(value.length)), value);

const text = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));
