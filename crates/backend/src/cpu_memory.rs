//! How the tensors of the processor backends are read and made, for the layers of [`ganvas_cpu`].

#[cfg(any(feature = "ndarray", feature = "flex"))]
use burn::tensor::TensorData;
use ganvas_cpu::{CpuMemory, Fresh};

/// The memory of burn-flex.
#[cfg(feature = "flex")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlexMemory;

#[cfg(feature = "flex")]
impl CpuMemory<burn_flex::Flex> for FlexMemory {
    fn reaches(_device: &burn_flex::FlexDevice) -> bool {
        true
    }

    #[allow(unsafe_code)] // As the trait has it.
    unsafe fn create(shape: &[usize], fill: impl FnOnce(Fresh<'_>)) -> burn_flex::FlexTensor {
        // SAFETY: the caller's promise.
        let values = unsafe { ganvas_cpu::vector(shape.iter().product(), fill) };
        burn_flex::FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
    }

    fn contiguous(tensor: burn_flex::FlexTensor) -> burn_flex::FlexTensor {
        if tensor.as_slice::<f32>().is_some() {
            tensor
        } else {
            tensor.to_contiguous()
        }
    }

    fn read(tensor: &burn_flex::FlexTensor) -> &[f32] {
        tensor.as_slice().unwrap_or_default()
    }
}

/// The memory of burn-ndarray.
#[cfg(feature = "ndarray")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct NdArrayMemory;

#[cfg(feature = "ndarray")]
impl CpuMemory<burn_ndarray::NdArray<f32>> for NdArrayMemory {
    fn reaches(_device: &burn_ndarray::NdArrayDevice) -> bool {
        true
    }

    #[allow(unsafe_code)] // As the trait has it.
    unsafe fn create(shape: &[usize], fill: impl FnOnce(Fresh<'_>)) -> burn_ndarray::NdArrayTensor {
        // SAFETY: the caller's promise.
        let values = unsafe { ganvas_cpu::vector(shape.iter().product(), fill) };
        burn_ndarray::NdArrayTensor::from_data(TensorData::new(values, shape.to_vec()))
    }

    fn contiguous(tensor: burn_ndarray::NdArrayTensor) -> burn_ndarray::NdArrayTensor {
        match &tensor {
            burn_ndarray::NdArrayTensor::F32(storage) if storage.view().as_slice().is_none() => {
                let view = storage.view();
                let values: Vec<f32> = view.iter().copied().collect();
                burn_ndarray::NdArrayTensor::from_data(TensorData::new(values, view.shape().to_vec()))
            }
            _ => tensor,
        }
    }

    fn read(tensor: &burn_ndarray::NdArrayTensor) -> &[f32] {
        match tensor {
            burn_ndarray::NdArrayTensor::F32(storage) => storage.view().to_slice().unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The memory of burn-tch, on the processor.
#[cfg(feature = "libtorch")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct LibTorchMemory;

#[cfg(feature = "libtorch")]
#[allow(unsafe_code)] // libtorch hands out pointers.
impl CpuMemory<burn_tch::LibTorch<f32>> for LibTorchMemory {
    fn reaches(device: &burn_tch::LibTorchDevice) -> bool {
        *device == burn_tch::LibTorchDevice::Cpu
    }

    unsafe fn create(shape: &[usize], fill: impl FnOnce(Fresh<'_>)) -> burn_tch::TchTensor {
        let sizes: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let tensor = tch::Tensor::empty(sizes, (tch::Kind::Float, tch::Device::Cpu));
        let length = shape.iter().product();
        if length > 0 {
            // SAFETY: `empty` makes row-major memory for `length` floats, which nobody else knows of yet.
            fill(unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), length) });
        }
        burn_tch::TchTensor::new(tensor)
    }

    fn contiguous(tensor: burn_tch::TchTensor) -> burn_tch::TchTensor {
        if tensor.tensor.is_contiguous() {
            tensor
        } else {
            burn_tch::TchTensor::new(tensor.tensor.contiguous())
        }
    }

    fn read(tensor: &burn_tch::TchTensor) -> &[f32] {
        match tensor.tensor.numel() {
            0 => &[],
            // SAFETY: contiguous, of 32-bit floats and on the processor, as the trait's callers see to; libtorch keeps the
            // memory as long as the tensor, and burn-tch changes nothing in place that is held twice.
            length => unsafe { std::slice::from_raw_parts(tensor.tensor.data_ptr().cast(), length) },
        }
    }
}
