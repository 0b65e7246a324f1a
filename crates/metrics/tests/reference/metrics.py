"""Numbers of crates/metrics, from numpy, scipy and prdc.

    pip install numpy==2.4.6 scipy==1.17.1 prdc==0.2
    python crates/metrics/tests/reference/metrics.py > crates/metrics/tests/reference/metrics.json
"""

import contextlib
import json
import sys

import numpy as np
import scipy.linalg
import scipy.special
import scipy.spatial.distance as distance
import scipy.stats
from prdc import compute_prdc


def uniform(salt, count):
    """Numbers in 0..1 that the test computes too: splitmix64 of salt + index."""
    with np.errstate(over="ignore"):
        z = (np.arange(count, dtype=np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def features(salt, count, width):
    """A hill in each feature, wider and further from zero from feature to feature."""
    u = uniform(salt, 3 * count * width).reshape(count, width, 3).sum(axis=2) - 1.5
    scale = 1.0 + np.arange(width) / width
    return u * scale + scale


def frechet(x, y):
    root = scipy.linalg.sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False))
    difference = x.mean(axis=0) - y.mean(axis=0)
    traces = np.trace(np.cov(x, rowvar=False) + np.cov(y, rowvar=False))
    return float(difference @ difference + traces - 2.0 * np.trace(root).real)


def kernel(x, y):
    """torch-fidelity's polynomial_mmd with degree 3, gamma 1/D, coef0 1."""
    m, d = x.shape
    k = lambda a, b: (a @ b.T / d + 1.0) ** 3
    different = lambda a: k(a, a).sum() - np.trace(k(a, a))
    return float((different(x) + different(y)) / (m * (m - 1)) - 2.0 * k(x, y).sum() / (m * m))


def inside(samples, centers, k):
    """Kynkäänniemi et al.: the share of samples within the k-th neighbour's distance of any center."""
    own = np.sort(distance.cdist(centers, centers), axis=1)[:, k]
    return float((distance.cdist(samples, centers) <= own).any(axis=1).mean())


def sets(x, y):
    with contextlib.redirect_stdout(sys.stderr):
        both = compute_prdc(x, y, nearest_k=5)
    to_real = distance.cdist(y, x)
    return {
        "frechet": frechet(x, y),
        "kernel": kernel(x[: min(len(x), len(y))], y[: min(len(x), len(y))]),
        "precision": inside(y, x, 3),
        "recall": inside(x, y, 3),
        "density": float(both["density"]),
        "coverage": float(both["coverage"]),
        "nearest": to_real.argmin(axis=1).tolist(),
        "distances": to_real.min(axis=1).tolist(),
    }


def expected_modes(shares, samples):
    occurs = divergence = 0.0
    counts = np.arange(1, samples + 1)
    weight = counts / samples * np.log(counts / samples * 1000)
    for p in np.einsum("i,j,k->ijk", shares, shares, shares).ravel():
        occurs += 1.0 - scipy.stats.binom.pmf(0, samples, p)
        divergence += float((scipy.stats.binom.pmf(counts, samples, p) * weight).sum())
    return {"shares": list(shares), "samples": samples, "modes": float(occurs), "divergence": divergence}


def classes():
    logits = (8.0 * uniform(31, 200 * 10) - 4.0).astype(np.float32).reshape(200, 10)
    p = scipy.special.softmax(logits.astype(np.float64), axis=1)
    marginal = p.mean(axis=0)
    score = np.exp((p * (np.log(p) - np.log(marginal))).sum(axis=1).mean())
    histogram = np.bincount(p.argmax(axis=1), minlength=10) / len(p)
    return {
        "score": float(score),
        "histogram": histogram.tolist(),
        "entropy": float(scipy.stats.entropy(histogram)),
    }


def triples():
    digits = np.minimum((11.0 * uniform(41, 3 * 5000)).astype(np.int64), 9).reshape(5000, 3)
    counts = np.bincount(digits @ [100, 10, 1], minlength=1000)
    q = counts[counts > 0] / counts.sum()
    return {"modes": int((counts > 0).sum()), "divergence": float((q * np.log(q * 1000)).sum())}


mnist = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]) / 60000.0
near = features(1, 130, 7)
print(
    json.dumps(
        {
            "near": sets(near, features(5000, 110, 7) + 0.1),
            "far": sets(near, 0.8 * features(9000, 130, 7) + 0.6),
            "classes": classes(),
            "triples": triples(),
            "expected": [expected_modes(mnist, 26000), expected_modes(np.full(10, 0.1), 500)],
        },
        indent=1,
    )
)
