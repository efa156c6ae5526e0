/**
 * safetensors files: a writer that holds one tensor at a time and a reader that checks before it believes.
 *
 * The file: u64le header length n; n bytes of JSON, name -> {dtype, shape, data_offsets: [start, end]} and
 * `__metadata__` (strings), padded with spaces to 8 bytes; then the tensors, little-endian, row-major, without
 * gaps. Offsets count from the end of the header. Order and header are byte for byte what the Python package
 * writes. Not supported: dtypes narrower than a byte (F4, F6).
 *
 * Source: https://github.com/huggingface/safetensors, "Format".
 */

import { UserError } from "../stage/errors.ts";
import { AtomicFile, type Written } from "./atomic.ts";
import { reading } from "./file_errors.ts";

/** Bytes per element, in the order in which tensors lie in a file: widest first, so that each one is aligned. */
const DTYPES = {
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
  F32: 4,
  U32: 4,
  I32: 4,
  BF16: 2,
  F16: 2,
  U16: 2,
  I16: 2,
  F8_E5M2FNUZ: 1,
  F8_E4M3FNUZ: 1,
  F8_E8M0: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/** An element type by the format's own name. */
export type SafetensorsDtype = keyof typeof DTYPES;

/** What a file says about one tensor. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Sizes per dimension; `[]` for a single number. */
  readonly shape: readonly number[];
}

/** A tensor to be written. */
export interface TensorEntry extends TensorInfo {
  /** Its elements, little-endian and row-major; called once, when its turn comes, and not kept. */
  readonly bytes: () => Uint8Array;
}

/** The largest header that readers of the format accept, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Writes a file atomically, one tensor after another: nothing else is held than what `bytes` of the current
 * tensor returns, which may be the same buffer each time.
 *
 * @returns Size and SHA-256 of the file.
 * @throws UserError where the system refuses (disk full, ...); a TypeError where an entry contradicts itself.
 */
export function writeSafetensors(
  path: string,
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Written {
  const { header, tensors } = safetensorsLayout(entries, metadata);
  using file = new AtomicFile(path);
  file.write(header);
  for (const tensor of tensors) {
    const bytes = tensor.bytes();
    if (bytes.length !== sizeOf(tensor)) {
      throw new TypeError(
        `Tensor "${tensor.name}" of ${label(tensor)} has ${bytes.length} bytes, expected ${sizeOf(tensor)}`,
      );
    }
    file.write(bytes);
  }
  return file.commit();
}

/**
 * What a file begins with, and the tensors in the order in which their elements follow: for writers that have the bytes
 * elsewhere.
 *
 * @throws TypeError where an entry contradicts itself.
 */
export function safetensorsLayout<T extends TensorInfo>(
  entries: Iterable<T>,
  metadata: Readonly<Record<string, string>> = {},
): { header: Uint8Array<ArrayBuffer>; tensors: T[] } {
  const tensors = [...entries].sort(byDtypeThenName);
  return { header: encodeHeader(tensors, metadata), tensors };
}

const RANK = new Map(Object.keys(DTYPES).map((dtype, rank) => [dtype, rank]));

function byDtypeThenName(a: TensorInfo, b: TensorInfo): number {
  return RANK.get(a.dtype)! - RANK.get(b.dtype)! || (a.name < b.name ? -1 : 1);
}

function encodeHeader(
  tensors: readonly TensorInfo[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  // A Map and not an object: names such as "0" would otherwise change places.
  const members = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) members.set("__metadata__", metadata);
  let start = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    if (members.has(name) || name === "__metadata__") throw new TypeError(`Two tensors are called "${name}"`);
    if (!isShape(shape)) throw new TypeError(`Tensor "${name}" has the shape ${JSON.stringify(shape)}`);
    const end = start + sizeOf(tensor);
    members.set(name, { dtype, shape, data_offsets: [start, end] });
    start = end;
  }
  const json = [...members].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${json.join(",")}}`);
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return header;
}

/** A tensor's place in the file: bytes from the end of the header. */
interface Placed extends TensorInfo {
  readonly start: number;
  readonly end: number;
}

/**
 * An open file. The header is read and checked at once, tensors when asked for.
 *
 * ```ts ignore
 * using file = new SafetensorsFile(path);
 * for (const name of file.names) file.read(name, buffer);
 * ```
 */
export class SafetensorsFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #tensors: ReadonlyMap<string, Placed>;
  readonly #dataStart: number;
  /** The strings under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;

  /** @throws UserError where the file cannot be read, is cut short, or is not a well-formed safetensors file. */
  constructor(readonly path: string) {
    this.#file = reading(path, () => Deno.openSync(path));
    try {
      const size = reading(path, () => this.#file.statSync().size);
      const header = this.#header(size);
      this.#dataStart = header.dataStart;
      this.#tensors = header.tensors;
      this.metadata = header.metadata;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** The tensors' names in the order in which they lie in the file. */
  get names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Whether the file has a tensor of that name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Dtype and shape of a tensor. @throws UserError where the file has none of that name. */
  info(name: string): TensorInfo {
    const { dtype, shape } = this.#placed(name);
    return { name, dtype, shape };
  }

  /**
   * A tensor's elements, little-endian and row-major.
   *
   * @param into Filled and returned if given; its length must be the tensor's size in bytes.
   * @throws UserError where the file has no such tensor, or was cut short since it was opened.
   */
  read(name: string, into?: Uint8Array): Uint8Array {
    const tensor = this.#placed(name);
    const size = tensor.end - tensor.start;
    const bytes = into ?? new Uint8Array(size);
    if (bytes.length !== size) {
      throw new TypeError(`Tensor "${name}" has ${size} bytes, the buffer ${bytes.length}`);
    }
    this.#fill(bytes, this.#dataStart + tensor.start);
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #placed(name: string): Placed {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new UserError(`No tensor "${name}" in "${this.path}"`);
    return tensor;
  }

  #header(size: number): Header & { dataStart: number } {
    if (size < 8) throw cutShort(this.path, "at least 8", size);
    const length = Number(new DataView(this.#fill(new Uint8Array(8), 0).buffer).getBigUint64(0, true));
    if (length > MAX_HEADER) throw malformed(this.path, `it would have a header of ${length} bytes`);
    const dataStart = 8 + length;
    if (size < dataStart) throw cutShort(this.path, `at least ${dataStart}`, size);
    const header = parseHeader(this.path, this.#fill(new Uint8Array(length), 8));
    const expected = dataStart + header.dataBytes;
    if (size < expected) throw cutShort(this.path, `${expected}`, size);
    if (size > expected) throw malformed(this.path, `${size - expected} bytes follow the last tensor`);
    return { ...header, dataStart };
  }

  #fill<Buffer extends Uint8Array>(bytes: Buffer, position: number): Buffer {
    reading(this.path, () => {
      this.#file.seekSync(position, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const n = this.#file.readSync(bytes.subarray(at));
        if (n === null) throw cutShort(this.path, `at least ${position + bytes.length}`, position + at);
        at += n;
      }
    });
    return bytes;
  }
}

interface Header {
  /** In the order of their places. */
  readonly tensors: ReadonlyMap<string, Placed>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Size of all tensors together. */
  readonly dataBytes: number;
}

function parseHeader(path: string, bytes: Uint8Array): Header {
  const members = parseObject(path, bytes);
  const metadata = new Map<string, string>();
  const tensors: Placed[] = [];
  for (const [name, value] of members) {
    if (name !== "__metadata__") tensors.push(checkedEntry(path, name, value));
    else for (const [key, text] of checkedMetadata(path, value)) metadata.set(key, text);
  }
  // An empty tensor shares its start with the next one: by end as well, so that it comes first.
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let dataBytes = 0;
  for (const { name, start, end } of tensors) {
    if (start > dataBytes) {
      throw malformed(path, `a gap of ${start - dataBytes} bytes comes before "${name}"`);
    }
    if (start < dataBytes) throw malformed(path, `"${name}" overlaps the tensor before it`);
    dataBytes = end;
  }
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata, dataBytes };
}

function parseObject(path: string, bytes: Uint8Array): [string, unknown][] {
  let text, header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw malformed(path, "its header is not JSON");
  }
  if (!isObject(header)) throw malformed(path, "its header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) throw malformed(path, `its header has "${twice}" twice`);
  return Object.entries(header);
}

/** A key that valid JSON text of an object gives twice at its top level; `JSON.parse` would drop the first. */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>();
  const structure = /["{}[\]]/g;
  let depth = 0;
  for (let match; (match = structure.exec(text));) {
    const [token] = match;
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else {
      const end = structure.lastIndex = endOfString(text, match.index);
      if (depth !== 1) continue; // at depth 1, strings are keys: a value that is one is refused anyway
      const key: string = JSON.parse(text.slice(match.index, end));
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

/** Where the string that opens at `open` has ended. */
function endOfString(text: string, open: number): number {
  for (let i = open + 1;; i++) {
    i = text.indexOf('"', i);
    let backslashes = 0;
    while (text[i - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return i + 1;
  }
}

function checkedEntry(path: string, name: string, value: unknown): Placed {
  const bad = (what: string) => malformed(path, `tensor "${name}" ${what}`);
  if (!isObject(value)) throw bad("is not described by an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    throw bad(`has the unknown dtype ${JSON.stringify(dtype)}; known are ${Object.keys(DTYPES).join(", ")}`);
  }
  if (!isShape(shape)) throw bad(`has the shape ${JSON.stringify(shape)}, expected whole numbers`);
  if (!isShape(offsets) || offsets.length !== 2) {
    throw bad(`has the data_offsets ${JSON.stringify(offsets)}, expected two whole numbers`);
  }
  const [start, end] = offsets as [number, number];
  const info = { name, dtype, shape };
  if (end - start !== sizeOf(info)) {
    throw bad(`of ${label(info)} has ${end - start} bytes, expected ${sizeOf(info)}`);
  }
  return { ...info, start, end };
}

function checkedMetadata(path: string, value: unknown): [string, string][] {
  if (!isObject(value)) throw malformed(path, "__metadata__ is not an object");
  return Object.entries(value).map(([key, text]) => {
    if (typeof text !== "string") throw malformed(path, `__metadata__ has "${key}", which is not a string`);
    return [key, text];
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isDtype = (value: unknown): value is SafetensorsDtype =>
  typeof value === "string" && Object.hasOwn(DTYPES, value);

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** Bytes of a tensor: its elements times their width. */
function sizeOf({ dtype, shape }: Pick<TensorInfo, "dtype" | "shape">): number {
  return shape.reduce((product, size) => product * size, DTYPES[dtype] as number);
}

const label = ({ dtype, shape }: TensorInfo) => `${dtype}[${shape.join(", ")}]`;

const malformed = (path: string, what: string) =>
  new UserError(`Cannot read "${path}" as safetensors: ${what}`);

const cutShort = (path: string, expected: string, found: number) =>
  new UserError(`Cannot read "${path}": it is cut short, expected ${expected} bytes, found ${found}`);
