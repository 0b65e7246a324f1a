//! From tensors to the numbers in them, and back.

use std::{fmt::Debug, mem::MaybeUninit};

use burn::tensor::{backend::Backend, ops::FloatTensor};

/// Memory that has not been written yet.
pub type Fresh<'a> = &'a mut [MaybeUninit<f32>];

/// How the tensors of a backend are read and made by a processor; 32-bit floats.
///
/// Nothing is changed in place: who else holds a tensor's memory is not for all backends to know. burn-tch 0.21 counts a
/// permuted view (`swap_dims`, `permute`) as the only owner of memory that it shares.
///
/// A type of its own rather than the backend, because neither this trait nor the backends are at home where they meet.
pub trait CpuMemory<B: Backend>: Copy + Debug + Send + Sync + 'static {
    /// Whether tensors of this device lie in the processor's memory.
    fn reaches(device: &B::Device) -> bool;

    /// A new tensor, row-major, on the processor.
    ///
    /// # Safety
    /// `fill` must write every value.
    #[allow(unsafe_code)] // The contract of memory that is handed out before it is written.
    unsafe fn create(shape: &[usize], fill: impl FnOnce(Fresh<'_>)) -> FloatTensor<B>;

    /// The same tensor, row-major and without gaps.
    fn contiguous(tensor: FloatTensor<B>) -> FloatTensor<B>;

    /// The values of a [`contiguous`](Self::contiguous) tensor.
    fn read(tensor: &FloatTensor<B>) -> &[f32];
}

/// A vector that `fill` writes, for backends whose tensors are made of vectors.
///
/// # Safety
/// `fill` must write every value.
#[allow(unsafe_code)] // Writing zeros first would pass over the memory once more.
pub unsafe fn vector(length: usize, fill: impl FnOnce(Fresh<'_>)) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    fill(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: the capacity is `length` or more, and the caller promises that all of it is written.
    unsafe { values.set_len(length) };
    values
}

/// [`CpuMemory::create`] for the kernels of this crate, each of which writes all that it is given.
#[allow(unsafe_code)]
pub(crate) fn create<B: Backend, M: CpuMemory<B>>(shape: &[usize], fill: impl FnOnce(Fresh<'_>)) -> FloatTensor<B> {
    // SAFETY: every kernel of this crate writes its whole output; their tests compare all of it.
    unsafe { M::create(shape, fill) }
}

/// What a kernel has written.
#[allow(unsafe_code)]
pub(crate) fn written(values: Fresh<'_>) -> &mut [f32] {
    // SAFETY: called after a kernel of this crate wrote all of it. A float has no invalid bit patterns.
    unsafe { &mut *(std::ptr::from_mut(values) as *mut [f32]) }
}

/// Values that are written anew without being read.
#[cfg(test)]
#[allow(unsafe_code)]
pub(crate) fn fresh(values: &mut [f32]) -> Fresh<'_> {
    // SAFETY: the kernels only write floats into it, so it stays initialized.
    unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) }
}
