/** Names and codes of element types and devices. Neither ever defaults: an unknown one is an error. */
import { TorchError } from "./native.ts";

/** Element types, in the order of the codes in native/tensor.cpp. */
export const DTYPES = ["float32", "float64", "bfloat16", "int64", "int32", "uint8", "bool"] as const;
export type Dtype = typeof DTYPES[number];

export type Device = "cpu" | `cuda:${number}`;

export const BYTES_PER_ELEMENT: Readonly<Record<Dtype, number>> = {
  float32: 4,
  float64: 8,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

export const dtypeCode = (dtype: Dtype): number => DTYPES.indexOf(dtype);

export function dtypeOf(code: number): Dtype {
  const dtype = DTYPES[code];
  if (dtype === undefined) throw new TorchError(`Unknown dtype code ${code}`);
  return dtype;
}

export function deviceCode(device: Device): number {
  if (device === "cpu") return 0;
  const index = Number(/^cuda:(\d+)$/.exec(device)?.[1] ?? NaN);
  if (Number.isNaN(index)) throw new TorchError(`Unknown device "${device}": expected cpu or cuda:N`);
  return index + 1;
}

export const deviceOf = (code: number): Device => code === 0 ? "cpu" : `cuda:${code - 1}`;
