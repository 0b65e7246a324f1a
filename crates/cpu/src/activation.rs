//! Activations and their derivatives, value by value.

use ganvas_model::Activation;

/// A function of one value, known when the loop around it is compiled.
pub(crate) trait Function: Copy + Send + Sync {
    /// The function's value.
    fn apply(self, x: f32) -> f32;
    /// The derivative, from the function's own value.
    fn derivative(self, output: f32) -> f32;
}

#[derive(Clone, Copy)]
pub(crate) struct Identity;

impl Function for Identity {
    #[inline(always)]
    fn apply(self, x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn derivative(self, _output: f32) -> f32 {
        1.0
    }
}

/// ReLU is the slope 0.
#[derive(Clone, Copy)]
pub(crate) struct Rectifier {
    slope: f32,
}

impl Function for Rectifier {
    #[inline(always)]
    fn apply(self, x: f32) -> f32 {
        if x > 0.0 { x } else { self.slope * x }
    }
    #[inline(always)]
    fn derivative(self, output: f32) -> f32 {
        // The slope is not negative, so the output has the input's sign.
        if output > 0.0 { 1.0 } else { self.slope }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl Function for Tanh {
    /// The rational approximation that Eigen, TensorFlow and XLA use (Eigen's `ptanh_float`): off by a few units in the last
    /// place, and a loop over it can be vectorized.
    #[inline(always)]
    fn apply(self, x: f32) -> f32 {
        const NUMERATOR: [f32; 7] = [
            4.893_524_6e-3,
            6.372_619e-4,
            1.485_722_4e-5,
            5.122_297e-8,
            -8.604_672e-11,
            2.000_188e-13,
            -2.760_768_5e-16,
        ];
        const DENOMINATOR: [f32; 4] = [4.893_525e-3, 2.268_434_6e-3, 1.185_347e-4, 1.198_258_4e-6];
        // Beyond it the result stays at the last number below 1. A NaN stays one.
        const LIMIT: f32 = 7.905_311;
        let clamped = x.clamp(-LIMIT, LIMIT);
        let square = clamped * clamped;
        let horner = |coefficients: &[f32]| {
            let highest_first = coefficients.iter().rev();
            highest_first.fold(0.0, |value, &coefficient| value * square + coefficient)
        };
        let (numerator, denominator) = (horner(&NUMERATOR), horner(&DENOMINATOR));
        let result = clamped * numerator / denominator;
        if x.abs() < 4e-4 { x } else { result }
    }
    #[inline(always)]
    fn derivative(self, output: f32) -> f32 {
        1.0 - output * output
    }
}

/// Runs something with the function that an [`Activation`] names.
pub(crate) trait WithFunction {
    type Output;
    fn run<F: Function>(self, function: F) -> Self::Output;
}

pub(crate) fn with_function<W: WithFunction>(activation: Activation, task: W) -> W::Output {
    match activation {
        Activation::Identity => task.run(Identity),
        Activation::Relu => task.run(Rectifier { slope: 0.0 }),
        Activation::LeakyRelu { slope } => task.run(Rectifier { slope }),
        Activation::Tanh => task.run(Tanh),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_that_of_64_bits() {
        let mut worst = 0.0_f64;
        // Miri is a thousand times slower.
        for step in (-200_000..=200_000).step_by(if cfg!(miri) { 9973 } else { 1 }) {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x).tanh();
            let error = (f64::from(Tanh.apply(x)) - exact).abs() / exact.abs().max(1e-30);
            worst = worst.max(error);
        }
        assert!(worst < 5e-7, "{worst:e}");
        assert!(Tanh.apply(f32::NAN).is_nan());
        assert!((1.0 - Tanh.apply(f32::INFINITY)) < 1e-7);
        assert_eq!(Tanh.apply(-0.0).to_bits(), (-0.0_f32).to_bits());
    }
}
