//! Where the first weights of a network come from.

use burn::{
    module::Param,
    tensor::{Tensor, TensorData, backend::Backend},
};
use rand::RngCore;

use super::initialization::{Fans, Initialization, normal_values};
use crate::ModelError;

/// The source of the first weights: random numbers, a device, and the [`Initialization`] that layers draw by.
///
/// Layers take their weights in the order in which they are built, so the same random numbers give the same network on
/// every backend.
pub struct Init<'a, B: Backend> {
    rng: &'a mut dyn RngCore,
    device: &'a B::Device,
    scheme: Initialization,
    /// In the place of the scheme.
    gain: Option<f64>,
    /// Values that may still be made.
    left: u64,
    limit: u64,
    exceeded: bool,
    /// Whether kernels are drawn at all.
    draws: bool,
}

impl<B: Backend> std::fmt::Debug for Init<'_, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Init")
            .field("scheme", &self.scheme)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl<'a, B: Backend> Init<'a, B> {
    /// Weights on `device`, drawn from `rng`, as many as are asked for.
    pub fn new(rng: &'a mut dyn RngCore, device: &'a B::Device) -> Self {
        Self {
            rng,
            device,
            scheme: Initialization::default(),
            gain: None,
            left: u64::MAX,
            limit: u64::MAX,
            exceeded: false,
            draws: true,
        }
    }

    /// Leaves all kernels at zero: for networks that are only looked at, whose size would take long to draw.
    pub fn with_zeros(self) -> Self {
        Self { draws: false, ..self }
    }

    /// Makes at most so many values: for networks whose sizes somebody else wrote. A network that asks for more gets empty
    /// tensors, and [`check`](Self::check) says so.
    pub fn with_limit(self, values: u64) -> Self {
        Self {
            left: values,
            limit: values,
            ..self
        }
    }

    /// Chooses how the kernels of the layers after this are drawn.
    pub fn set_scheme(&mut self, scheme: Initialization) {
        self.scheme = scheme;
        self.gain = None;
    }

    /// The kernels of the layers after this are normal with standard deviation gain / √fan_in; a gain of 0 leaves them at zero.
    pub fn set_gain(&mut self, gain: f64) {
        self.gain = Some(gain);
    }

    /// Holds what was made to the limit; to be asked once a network is built.
    ///
    /// # Errors
    /// [`ModelError::TooLarge`]; the network is not to be used then.
    pub fn check(&self) -> Result<(), ModelError> {
        match self.exceeded {
            true => Err(ModelError::TooLarge { limit: self.limit }),
            false => Ok(()),
        }
    }

    /// Whether kernels have values, and not zeros or nothing.
    pub(crate) fn draws(&self) -> bool {
        self.draws && !self.exceeded
    }

    /// The device.
    pub fn device(&self) -> &B::Device {
        self.device
    }

    /// The source of random numbers, for what no kernel is.
    pub fn rng(&mut self) -> &mut dyn RngCore {
        self.rng
    }

    /// Draws a kernel in the flat order of `shape`.
    pub fn kernel<const D: usize>(&mut self, shape: [usize; D], fans: Fans) -> Param<Tensor<B, D>> {
        match self.grant(shape) {
            Some(_) if !self.draws => Param::from_tensor(Tensor::zeros(shape, self.device)),
            Some(count) => {
                let values = match self.gain {
                    Some(0.0) => vec![0.0; count],
                    Some(gain) => normal_values(count, gain / fans.meeting.sqrt(), self.rng),
                    None => self.scheme.values(count, fans, self.rng),
                };
                Param::from_data(TensorData::new(values, shape), self.device)
            }
            None => self.empty(),
        }
    }

    /// A trainable vector that starts at one value.
    pub fn constant(&mut self, length: usize, value: f32) -> Param<Tensor<B, 1>> {
        self.filled([length], value)
    }

    /// A trainable tensor that starts at one value.
    pub fn filled<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<Tensor<B, D>> {
        match self.grant(shape) {
            Some(count) => Param::from_data(TensorData::new(vec![value; count], shape), self.device),
            None => self.empty(),
        }
    }

    /// A buffer: a vector that starts at one value and gets no gradient.
    pub fn buffer(&mut self, length: usize, value: f32) -> Param<Tensor<B, 1>> {
        self.constant(length, value).set_require_grad(false)
    }

    /// A buffer of these values, which gets no gradient.
    pub fn buffer_of(&mut self, values: &[f64]) -> Param<Tensor<B, 1>> {
        match self.grant([values.len()]) {
            Some(count) => {
                let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                Param::from_data(TensorData::new(values, [count]), self.device).set_require_grad(false)
            }
            None => self.empty(),
        }
    }

    fn grant<const D: usize>(&mut self, shape: [usize; D]) -> Option<usize> {
        let count = shape
            .iter()
            .try_fold(1_u64, |count, &side| count.checked_mul(side as u64));
        match count.and_then(|count| Some((count, self.left.checked_sub(count)?))) {
            Some((count, left)) => {
                self.left = left;
                usize::try_from(count).ok()
            }
            None => {
                self.exceeded = true;
                None
            }
        }
    }

    fn empty<const D: usize>(&self) -> Param<Tensor<B, D>> {
        Param::from_data(TensorData::new(Vec::<f32>::new(), [0; D]), self.device)
    }
}
