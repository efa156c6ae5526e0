/** Tensors of libtorch for Deno: what the rest of the program imports. */
export * from "./decode.ts";
export { type Device, type Dtype, DTYPES } from "./dtype.ts";
export { type Counter, cpuEnergy, gpuEnergy } from "./energy.ts";
export * from "./functional.ts";
export { load, TorchError, type Versions, versions } from "./native.ts";
export * from "./optim.ts";
export * from "./process.ts";
export * from "./sample.ts";
export { finishSave, releaseSave, reserveSave, startSave, type TensorFile } from "./save.ts";
export { type Blocks, type BlockShape, type BlockStart, TokenShards, type Vocabulary } from "./shards.ts";
export {
  type Elements,
  FLOAT32_CPU,
  liveTensors,
  noGrad,
  Scope,
  scoped,
  Tensor,
  type TensorOptions,
  unscoped,
} from "./tensor.ts";
