"""Records what scipy says of a few samples, as reference.json: python3 reference.py > reference.json"""
import json
import numpy as np
import scipy
from scipy import stats

random = np.random.default_rng(20)


def mean(sums, sizes, axis=-1):
    return sums.sum(axis) / sizes.sum(axis)


def sample(name, clusters, largest, shift, skewed=False):
    sizes = random.integers(1, largest + 1, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    pull = random.gamma(1.5, 0.3, clusters) if skewed else random.normal(0, 0.3, clusters)
    values = np.round(shift + pull[cluster] + random.normal(0, 0.5, len(cluster)), 6)
    sums = np.array([values[cluster == c].sum() for c in range(clusters)])
    options = dict(paired=True, vectorized=True, method="BCa", n_resamples=199)
    few = stats.bootstrap((sums, sizes), mean, rng=np.random.default_rng(1), **options)
    options.update(n_resamples=2_000_000, batch=20_000)
    many = stats.bootstrap((sums, sizes), mean, rng=np.random.default_rng(2), **options)
    count = len(sums)
    residuals = sums - values.mean() * sizes
    error = np.sqrt(count / (count - 1) * (residuals ** 2).sum()) / len(values)
    flips = stats.permutation_test(
        (sums,), lambda x, axis: x.sum(axis), permutation_type="samples", vectorized=True,
        n_resamples=np.inf if count <= 14 else 1_000_000, batch=20_000, rng=np.random.default_rng(3))
    return dict(
        name=name, values=values.tolist(), clusters=cluster.tolist(), mean=values.mean(),
        resampledMeans=few.bootstrap_distribution.tolist(), intervalOfResampledMeans=list(few.confidence_interval),
        interval=list(many.confidence_interval), signFlipP=flips.pvalue,
        tTestP=2 * stats.t.sf(abs(values.mean() / error), count - 1),
        effectSize=values.mean() / values.std(ddof=1))


def power(effect):
    """The fewest pairs with a power of 80 % in a two-sided t test at 5 %, by the noncentral t distribution."""
    for n in range(2, 10_000):
        bound = stats.t.ppf(0.975, n - 1)
        shift = effect * np.sqrt(n)
        if stats.nct.sf(bound, n - 1, shift) + stats.nct.cdf(-bound, n - 1, shift) >= 0.8:
            return n


def holm(values):
    return [float(max(min(1.0, (len(values) - r) * v) for r, v in enumerate(sorted(values)) if v <= mine)) for mine in values]


probabilities = [1e-12, 1e-6, 0.001, 0.02425, 0.2, 0.5, 0.8, 0.975, 0.999999]
several = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
print(json.dumps(dict(
    version=f"scipy {scipy.__version__}, numpy {np.__version__}",
    normal=[dict(p=p, quantile=stats.norm.ppf(p)) for p in probabilities],
    student=[dict(freedom=f, t=t, cdf=stats.t.cdf(t, f)) for f in (1, 5, 27, 823) for t in (-8.0, -1.5, 0.0, 0.3, 2.0, 40.0)],
    studentQuantiles=[dict(freedom=f, p=p, quantile=stats.t.ppf(p, f)) for f in (1, 5, 27, 823) for p in (0.6, 0.975, 0.9995)],
    holm=dict(values=several, adjusted=holm(several)),
    power=[dict(effect=e, units=power(e)) for e in (0.1, 0.25, 0.5, 1.0, 1.5)],
    samples=[
        sample("files alone", 40, 1, 0.1), sample("speakers", 12, 9, 0.2), sample("skewed speakers", 30, 5, -0.3, True),
        sample("few speakers", 9, 20, 0.4),
    ]), indent=1))
