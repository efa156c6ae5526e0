/** Student's t distribution for whole degrees of freedom, in closed form. */

/**
 * The chance that |T| exceeds |t| where nothing but chance is at work: the p value of a two-sided t test. Abramowitz and
 * Stegun (1964), 26.7.3 and 26.7.4; right to about 1e-15, so a smaller p value comes out as about 0.
 *
 * @param freedom Degrees of freedom, a whole number of at least 1.
 */
export function twoSided(t: number, freedom: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = freedom % 2 === 1;
  // cos + 2/3 cos^3 + 2/3 4/5 cos^5 + ..., or 1 + 1/2 cos^2 + 1/2 3/4 cos^4 + ...
  let [term, sum] = isOdd ? [cosine, freedom > 1 ? cosine : 0] : [1, 1];
  for (let i = isOdd ? 3 : 2; i < freedom; i += 2) {
    term *= cosine * cosine * (i - 1) / i;
    sum += term;
  }
  const inside = isOdd ? (angle + sine * sum) * 2 / Math.PI : sine * sum;
  return Math.max(0, 1 - inside);
}

/**
 * The t that |T| stays below in 95 of 100 cases: 12.706 for 1 degree of freedom, 1.96 for many.
 *
 * @param freedom Degrees of freedom, a whole number of at least 1.
 */
export function quantile95(freedom: number): number {
  let [low, high] = [0, 13];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (twoSided(middle, freedom) > 0.05) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
