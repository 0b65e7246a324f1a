//! From tensors to the numbers in them, and back.
//!
//! Results go into memory that nobody has written yet, because writing zeros first would pass over it once more. That every
//! value of it is written before it is read is proved by types: who is given an [`Uninit`] hands it back as `&mut [f32]`, which
//! safe code gets only from what has written the same memory ([`uninit`](crate::uninit)).

use std::fmt::Debug;

use burn::tensor::{backend::Backend, ops::FloatTensor};

use crate::uninit::Uninit;

/// How the tensors of a backend are read and made by a processor; 32-bit floats.
///
/// Nothing is changed in place: who else holds a tensor's memory is not for all backends to know. burn-tch 0.21 counts a
/// permuted view (`swap_dims`, `permute`) as the only owner of memory that it shares.
///
/// A type of its own rather than the backend, because neither this trait nor the backends are at home where they meet.
pub trait CpuMemory<B: Backend>: Copy + Debug + Send + Sync + 'static {
    /// Whether tensors of this device lie in the processor's memory.
    fn reaches(device: &B::Device) -> bool;

    /// A new tensor, row-major, on the processor, with the values that `fill` writes.
    ///
    /// # Panics
    /// If `fill` hands back anything but all that it was given ([`written_by`]).
    fn create(shape: &[usize], fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> FloatTensor<B>;

    /// The same tensor, row-major and without gaps.
    fn contiguous(tensor: FloatTensor<B>) -> FloatTensor<B>;

    /// The values of a [`contiguous`](Self::contiguous) tensor.
    ///
    /// # Panics
    /// If the tensor is not contiguous, not of 32-bit floats or not in the processor's memory.
    fn read(tensor: &FloatTensor<B>) -> &[f32];
}

/// Has `fill` write memory, and sees that it hands back what it was given.
///
/// That proves that all of it was written: while `fill` runs it holds the only reference to the memory, so a `&mut [f32]` of the
/// same place and length can only come from it.
///
/// # Panics
/// If `fill` hands back anything else.
#[inline(always)]
pub fn written_by<'a>(out: Uninit<'a>, fill: impl FnOnce(Uninit<'a>) -> &'a mut [f32]) -> &'a mut [f32] {
    let (place, length) = (out.as_ptr(), out.len());
    let written = fill(out);
    assert!(
        std::ptr::eq(written.as_ptr(), place.cast()) && written.len() == length,
        "a kernel must hand back all of the memory that it was given"
    );
    written
}

/// A vector that `fill` writes, for backends whose tensors are made of vectors.
///
/// # Panics
/// If `fill` hands back anything but all that it was given ([`written_by`]).
pub fn vector(length: usize, fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    written_by(&mut values.spare_capacity_mut()[..length], fill);
    // SAFETY: the capacity is `length` or more, and `written_by` has seen that the first `length` values are written. Where
    // `fill` panics this is not reached, and the vector is dropped with the length 0.
    #[allow(unsafe_code)]
    unsafe {
        values.set_len(length);
    }
    values
}

/// A vector of numbers as a tensor.
pub(crate) fn create_vector<B: Backend, M: CpuMemory<B>>(values: &[f32]) -> FloatTensor<B> {
    M::create(&[values.len()], |out| crate::uninit::write(out, values))
}

/// Three tensors of one shape that are written together.
pub(crate) fn create_three<B: Backend, M: CpuMemory<B>>(
    shape: &[usize],
    fill: impl for<'a, 'b, 'c> FnOnce(Uninit<'a>, Uninit<'b>, Uninit<'c>) -> (&'a mut [f32], &'b mut [f32], &'c mut [f32]),
) -> [FloatTensor<B>; 3] {
    let (mut second, mut third) = (None, None);
    let first = M::create(shape, |first_out| {
        // Empty where nothing was written, which `create` does not take.
        let mut first_written: &mut [f32] = &mut [];
        second = Some(M::create(shape, |second_out| {
            let mut second_written: &mut [f32] = &mut [];
            third = Some(M::create(shape, |third_out| {
                let third_written;
                (first_written, second_written, third_written) = fill(first_out, second_out, third_out);
                third_written
            }));
            second_written
        }));
        first_written
    });
    match (second, third) {
        (Some(second), Some(third)) => [first, second, third],
        _ => unreachable!("a tensor is made with its values"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uninit::{fill, write, write_each};

    #[test]
    fn a_vector_has_what_was_written() {
        assert_eq!(vector(3, |out| write_each(out, |index| index as f32)), [0.0, 1.0, 2.0]);
        assert!(vector(0, |out| fill(out, 1.0)).is_empty());
    }

    #[test]
    #[should_panic = "all of the memory"]
    fn a_part_is_not_enough() {
        vector(3, |out| fill(&mut out[..2], 1.0));
    }

    #[test]
    #[should_panic = "all of the memory"]
    fn other_memory_does_not_count() {
        vector(3, |_| Box::leak(Box::new([1.0; 3])));
    }

    #[test]
    #[should_panic = "all of the memory"]
    fn nothing_is_not_enough() {
        vector(3, |_| &mut []);
    }

    #[test]
    #[should_panic = "one length"]
    fn fewer_values_than_memory_are_refused() {
        vector(3, |out| write(out, &[1.0; 2]));
    }

    #[test]
    fn a_kernel_may_panic() {
        let result = std::panic::catch_unwind(|| {
            vector(3, |out| {
                fill(&mut out[..1], 1.0);
                panic!("in the middle")
            })
        });
        assert!(result.is_err());
    }
}
