//! Where a set lies in feature space, and how much of another lies there: precision and recall, density and coverage.

use crate::{Features, MetricsError, distances::per_sample, error::at_least};

/// Neighbours that the balls of precision and recall reach to (Kynkäänniemi et al. 2019).
pub const PRECISION_NEIGHBOURS: usize = 3;

/// Neighbours that the balls of density and coverage reach to (Naeem et al. 2020).
pub const COVERAGE_NEIGHBOURS: usize = 5;

/// A set of features with the balls around its samples, each as wide as the distance to a neighbour in the set, the sample itself
/// not counted.
#[derive(Debug, Clone)]
pub struct Manifold {
    features: Features,
    /// Squared radii to the [`PRECISION_NEIGHBOURS`]th and the [`COVERAGE_NEIGHBOURS`]th neighbour.
    squared_radii: Vec<[f64; 2]>,
}

/// How two sets lie in each other; all but density are shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Generated samples that lie among the real ones (in a ball of theirs, or on its border): are they good?
    pub precision: f64,
    /// Real samples that lie among the generated ones: is everything there?
    pub recall: f64,
    /// In how many real balls a generated sample lies, over [`COVERAGE_NEIGHBOURS`]: as precision, and one outlier among the real
    /// samples, with its wide ball, does not decide. 1 for equal distributions, and more where samples crowd together.
    pub density: f64,
    /// Real balls with a generated sample in them: as recall, and a few wild generated samples do not decide.
    pub coverage: f64,
}

impl Manifold {
    /// The balls of a set.
    ///
    /// # Errors
    /// [`MetricsError::TooFew`] where a sample has fewer than [`COVERAGE_NEIGHBOURS`] neighbours.
    pub fn new(features: Features) -> Result<Self, MetricsError> {
        at_least(
            "the distance to the fifth neighbour",
            COVERAGE_NEIGHBOURS + 1,
            features.count(),
        )?;
        let squared_radii = per_sample(&features, &features, Nearest::new, |nearest, first, squared| {
            nearest.take(first, squared)
        });
        Ok(Self {
            squared_radii: squared_radii.iter().map(Nearest::squared_radii).collect(),
            features,
        })
    }

    /// The set.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// How generated samples lie in this set, and it in them: improved precision and recall (Kynkäänniemi et al. 2019, arXiv
    /// 1904.06991), density and coverage (Naeem et al. 2020, arXiv 2002.09797).
    ///
    /// For density and coverage a sample lies in a ball strictly within its border, or at the very center, which the paper's `<`
    /// leaves out of the balls of samples that have five duplicates.
    ///
    /// # Errors
    /// [`MetricsError::OtherWidth`].
    pub fn overlap(&self, generated: &Self) -> Result<Overlap, MetricsError> {
        self.features.check_width(&generated.features)?;
        let of_generated = per_sample(
            &generated.features,
            &self.features,
            |_| (false, 0_usize),
            |(is_inside, balls), first, squared| {
                for (&squared, radii) in squared.iter().zip(&self.squared_radii[first..]) {
                    *is_inside |= squared <= radii[0];
                    *balls += usize::from(is_within(squared, radii[1]));
                }
            },
        );
        let of_real = per_sample(
            &self.features,
            &generated.features,
            |_| (false, f64::INFINITY),
            |(is_inside, nearest), first, squared| {
                for (&squared, radii) in squared.iter().zip(&generated.squared_radii[first..]) {
                    *is_inside |= squared <= radii[0];
                    *nearest = nearest.min(squared);
                }
            },
        );
        let balls: usize = of_generated.iter().map(|(_, balls)| balls).sum();
        let covered = of_real.iter().zip(&self.squared_radii);
        Ok(Overlap {
            precision: share(of_generated.iter().map(|found| found.0)),
            recall: share(of_real.iter().map(|found| found.0)),
            density: balls as f64 / (COVERAGE_NEIGHBOURS * of_generated.len()) as f64,
            coverage: share(covered.map(|(&(_, nearest), radii)| is_within(nearest, radii[1]))),
        })
    }
}

fn is_within(squared: f64, squared_radius: f64) -> bool {
    squared < squared_radius || squared == 0.0
}

fn share(found: impl ExactSizeIterator<Item = bool>) -> f64 {
    let count = found.len();
    found.filter(|&found| found).count() as f64 / count as f64
}

/// The squared distances to the nearest samples of a sample's own set.
struct Nearest {
    own: usize,
    /// In order.
    found: [f64; COVERAGE_NEIGHBOURS],
}

impl Nearest {
    fn new(own: usize) -> Self {
        Self {
            own,
            found: [f64::INFINITY; COVERAGE_NEIGHBOURS],
        }
    }

    fn take(&mut self, first: usize, squared: &[f64]) {
        for (index, &squared) in squared.iter().enumerate() {
            if squared < self.found[COVERAGE_NEIGHBOURS - 1] && first + index != self.own {
                let place = self.found.partition_point(|&found| found <= squared);
                self.found[place..].rotate_right(1);
                self.found[place] = squared;
            }
        }
    }

    fn squared_radii(&self) -> [f64; 2] {
        [PRECISION_NEIGHBOURS, COVERAGE_NEIGHBOURS].map(|k| self.found[k - 1])
    }
}
