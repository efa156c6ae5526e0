/** Meters of energy as the system shows them: the processor's packages, a GPU. */
import { type Device, deviceCode } from "./dtype.ts";
import { check, native } from "./native.ts";

/** A counter that only grows, and begins anew at its range. */
export interface Counter {
  readonly joules: number;
  /** Where it begins anew; infinite where it does not. */
  readonly range: number;
}

/** Where Linux shows what the processor's packages take (RAPL). */
export const POWERCAP = "/sys/class/powercap";

const MOST_PACKAGES = 64;
const PACKAGES = new Float64Array(2 * MOST_PACKAGES);

/** A counter for each package, with all its cores; none where they cannot be read. */
export function cpuEnergy(folder = POWERCAP): Counter[] {
  const packages = check(
    native.ft_cpu_energy(new TextEncoder().encode(`${folder}\0`), PACKAGES, PACKAGES.length),
  );
  return Array.from({ length: packages }, (_, i) => ({
    joules: PACKAGES[2 * i]! / 1e6,
    range: PACKAGES[2 * i + 1]! / 1e6,
  }));
}

const JOULES = new Float64Array(1);

/** What a GPU has taken since its driver was loaded; null where that cannot be read, and for the CPU. */
export function gpuEnergy(device: Device): Counter | null {
  const isRead = check(native.ft_gpu_energy(deviceCode(device), JOULES)) === 1;
  return isRead ? { joules: JOULES[0]!, range: Infinity } : null;
}
