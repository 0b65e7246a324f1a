//! Writing memory for the first time: whatever returns `&mut [f32]` here has written all of it.

use std::mem::MaybeUninit;

/// Memory that has not been written yet.
pub type Uninit<'a> = &'a mut [MaybeUninit<f32>];

/// Takes memory for written.
///
/// # Safety
/// Every value of `out` must have been written.
#[allow(unsafe_code)] // `assume_init_mut` of slices needs a newer Rust than the workspace asks for.
#[inline(always)]
pub(crate) unsafe fn assume_written(out: Uninit<'_>) -> &mut [f32] {
    // SAFETY: the types differ only in that the values may not have been written, and the caller promises that they were.
    unsafe { &mut *(std::ptr::from_mut(out) as *mut [f32]) }
}

/// Writes what `function` makes of the inputs' values in the same place.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub(crate) fn map<'a, const N: usize>(
    out: Uninit<'a>,
    inputs: [&[f32]; N],
    function: impl Fn([f32; N]) -> f32,
) -> &'a mut [f32] {
    // Of one length, so that the loop needs no checks and can be vectorized.
    let inputs = inputs.map(|input| same_length(input, out.len()));
    for (index, out) in out.iter_mut().enumerate() {
        out.write(function(inputs.map(|input| input[index])));
    }
    // SAFETY: the loop writes each value.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Copies `values`.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub(crate) fn write<'a>(out: Uninit<'a>, values: &[f32]) -> &'a mut [f32] {
    map(out, [values], |[value]| value)
}

/// Writes one value everywhere.
#[inline(always)]
pub(crate) fn fill(out: Uninit<'_>, value: f32) -> &mut [f32] {
    map(out, [], |[]| value)
}

/// Writes what `function` makes of each index.
#[inline(always)]
pub(crate) fn write_each(out: Uninit<'_>, function: impl Fn(usize) -> f32) -> &mut [f32] {
    for (index, out) in out.iter_mut().enumerate() {
        out.write(function(index));
    }
    // SAFETY: the loop writes each value.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Three outputs that are written in one loop.
pub(crate) type Three<'a> = [&'a mut [MaybeUninit<f32>]; 3];

/// [`map`] to three outputs. It returns nothing, but has written all three.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub(crate) fn map_three<const N: usize>(
    [first, second, third]: Three<'_>,
    inputs: [&[f32]; N],
    function: impl Fn([f32; N]) -> [f32; 3],
) {
    let length = first.len();
    let inputs = inputs.map(|input| same_length(input, length));
    let (second, third) = (same_length_mut(second, length), same_length_mut(third, length));
    for (index, first) in first.iter_mut().enumerate() {
        let values = function(inputs.map(|input| input[index]));
        first.write(values[0]);
        second[index].write(values[1]);
        third[index].write(values[2]);
    }
}

#[inline(always)]
pub(crate) fn same_length<T>(values: &[T], length: usize) -> &[T] {
    assert!(
        values.len() == length,
        "a kernel's inputs and outputs must be of one length"
    );
    &values[..length]
}

#[inline(always)]
fn same_length_mut<T>(values: &mut [T], length: usize) -> &mut [T] {
    assert!(values.len() == length, "a kernel's outputs must be of one length");
    &mut values[..length]
}
