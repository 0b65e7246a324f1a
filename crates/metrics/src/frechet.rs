//! The Fréchet distance between two sets of features.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::{Features, MetricsError, error::at_least};

/// Mean and covariance of a set of features: all that the Fréchet distance looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    mean: DVector<f64>,
    /// Over N − 1, `[D, D]`.
    covariance: DMatrix<f64>,
}

impl Gaussian {
    /// Mean and covariance (over N − 1) of features.
    ///
    /// # Errors
    /// [`MetricsError::TooFew`] for fewer than two samples.
    pub fn of(features: &Features) -> Result<Self, MetricsError> {
        let count = features.count();
        at_least("a covariance", 2, count)?;
        let columns = features.columns(0, count);
        let mean = columns.column_mean();
        let mut centred = columns.clone_owned();
        for mut column in centred.column_iter_mut() {
            column -= &mean;
        }
        let covariance = &centred * centred.transpose() / (count - 1) as f64;
        Ok(Self { mean, covariance })
    }

    /// The squared Fréchet distance between two Gaussians, ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½); never negative.
    ///
    /// The trace of the root is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric, so its eigenvalues are real. Those of singular
    /// covariances, which rounding puts below zero, are zeros. Nothing is added to a covariance.
    ///
    /// # Errors
    /// [`MetricsError::OtherWidth`].
    pub fn squared_distance(&self, other: &Self) -> Result<f64, MetricsError> {
        if self.mean.len() != other.mean.len() {
            return Err(MetricsError::OtherWidth {
                expected: self.mean.len(),
                found: other.mean.len(),
            });
        }
        let root = square_root(&self.covariance);
        let product = &root * &other.covariance * &root;
        // Rounding leaves it not quite symmetric.
        let symmetric = (&product + product.transpose()) / 2.0;
        let eigenvalues = SymmetricEigen::new(symmetric).eigenvalues;
        let trace_of_root: f64 = eigenvalues.iter().map(|value| value.max(0.0).sqrt()).sum();
        let traces = self.covariance.trace() + other.covariance.trace();
        let distance = (&self.mean - &other.mean).norm_squared() + traces - 2.0 * trace_of_root;
        Ok(distance.max(0.0))
    }
}

/// The symmetric root of a symmetric matrix without negative eigenvalues.
fn square_root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = SymmetricEigen::new(matrix.clone());
    let roots = eigenvalues.map(|value| value.max(0.0).sqrt());
    &eigenvectors * DMatrix::from_diagonal(&roots) * eigenvectors.transpose()
}

/// The Fréchet distance of two sets (FID; Heusel et al. 2017, arXiv 1706.08500): the squared distance between the Gaussians with
/// their means and covariances. It falls with the number of samples, so only equal numbers compare.
///
/// # Errors
/// [`MetricsError::TooFew`] for fewer than two samples, [`MetricsError::OtherWidth`].
pub fn frechet_distance(real: &Features, fake: &Features) -> Result<f64, MetricsError> {
    Gaussian::of(real)?.squared_distance(&Gaussian::of(fake)?)
}
