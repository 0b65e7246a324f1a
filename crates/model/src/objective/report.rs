//! Numbers by name.

use burn::tensor::{Tensor, backend::Backend};

/// A number that somebody reports: on the host already, or still on the device.
#[derive(Debug, Clone)]
pub enum Number<B: Backend> {
    /// On the host.
    Host(f64),
    /// `[1]`, on the device until it is read.
    Device(Tensor<B, 1>),
}

impl<B: Backend> From<f64> for Number<B> {
    fn from(value: f64) -> Self {
        Self::Host(value)
    }
}

impl<B: Backend> From<Tensor<B, 1>> for Number<B> {
    fn from(tensor: Tensor<B, 1>) -> Self {
        Self::Device(tensor)
    }
}

/// The numbers of one step by their names, such as `loss/discriminator`, in the order in which they were reported.
///
/// Whoever has a number reports it; the log, the progress line and `[checkpoint.best]` take any name. A tensor stays on the
/// device, because reading it makes the host wait.
#[derive(Debug, Clone)]
pub struct Report<B: Backend> {
    numbers: Vec<(String, Number<B>)>,
}

impl<B: Backend> Default for Report<B> {
    fn default() -> Self {
        Self { numbers: Vec::new() }
    }
}

impl<B: Backend> Report<B> {
    /// Reports a number; of one name, the last counts.
    ///
    /// # Panics
    /// If a tensor has another number of values than one.
    pub fn report(&mut self, name: &str, number: impl Into<Number<B>>) {
        let number = number.into();
        if let Number::Device(tensor) = &number {
            assert_eq!(tensor.dims(), [1], "the number `{name}` is one value");
        }
        match self.numbers.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = number,
            None => self.numbers.push((name.to_owned(), number)),
        }
    }

    /// Adds the numbers of another report whose names are not taken yet.
    pub fn append(&mut self, other: Self) {
        for (name, number) in other.numbers {
            if !self.numbers.iter().any(|(known, _)| *known == name) {
                self.numbers.push((name, number));
            }
        }
    }

    /// Reads all numbers, and the values of `more`, in one transfer from the device.
    pub fn read_with(self, more: Vec<Tensor<B, 1>>) -> (Vec<(String, f64)>, Vec<f32>) {
        let of_report = self.numbers.iter().filter_map(|(_, number)| match number {
            Number::Device(tensor) => Some(tensor.clone()),
            Number::Host(_) => None,
        });
        let tensors: Vec<Tensor<B, 1>> = of_report.chain(more).collect();
        let values = match tensors.is_empty() {
            true => Vec::new(),
            false => crate::host_values(Tensor::cat(tensors, 0)),
        };
        let mut values = values.into_iter();
        let numbers = self
            .numbers
            .into_iter()
            .map(|(name, number)| match number {
                Number::Host(value) => (name, value),
                Number::Device(_) => (name, values.next().map_or(f64::NAN, shortest_decimal)),
            })
            .collect();
        (numbers, values.collect())
    }
}

/// The 64-bit number with the fewest digits that rounds to `value`: a log of 32-bit numbers should not show digits that they
/// do not have.
pub fn shortest_decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::shortest_decimal;

    #[test]
    fn numbers_keep_their_value_and_get_no_digits() {
        for value in [
            0.1_f32,
            1.0 / 3.0,
            6.5e-12,
            -0.0,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::INFINITY,
        ] {
            assert_eq!(shortest_decimal(value) as f32, value);
        }
        assert_eq!(shortest_decimal(0.1), 0.1);
        assert!(shortest_decimal(f32::NAN).is_nan());
    }
}
