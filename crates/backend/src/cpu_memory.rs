//! How the tensors of the processor backends are read and made, for the layers of [`ganvas_cpu`].

#[cfg(any(feature = "ndarray", feature = "flex"))]
use burn::tensor::{DType, TensorData, TensorMetadata};
use ganvas_cpu::{CpuMemory, Uninit};

/// What a backend shows of a tensor's values, if it is what the layers are made for.
#[cfg(any(feature = "ndarray", feature = "flex"))]
fn checked<'a>(tensor: &impl TensorMetadata, values: Option<&'a [f32]>) -> &'a [f32] {
    // Burn casts a tensor where somebody asks for it (`Tensor::cast`), and its type does not show it.
    let dtype = tensor.dtype();
    assert!(dtype == DType::F32, "expected 32-bit floats, found {dtype:?}");
    assert!(values.is_some(), "expected a contiguous tensor");
    values.unwrap_or_default()
}

/// The memory of burn-flex.
#[cfg(feature = "flex")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlexMemory;

#[cfg(feature = "flex")]
impl CpuMemory<burn_flex::Flex> for FlexMemory {
    fn reaches(_device: &burn_flex::FlexDevice) -> bool {
        true
    }

    fn create(shape: &[usize], fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> burn_flex::FlexTensor {
        let values = ganvas_cpu::vector(shape.iter().product(), fill);
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
        checked(tensor, tensor.as_slice())
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

    fn create(shape: &[usize], fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> burn_ndarray::NdArrayTensor {
        let values = ganvas_cpu::vector(shape.iter().product(), fill);
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
        let values = match tensor {
            burn_ndarray::NdArrayTensor::F32(storage) => storage.view().to_slice(),
            _ => None,
        };
        checked(tensor, values)
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

    fn create(shape: &[usize], fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> burn_tch::TchTensor {
        let sizes: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let tensor = tch::Tensor::empty(sizes, (tch::Kind::Float, tch::Device::Cpu));
        let length = tensor.numel();
        // An empty tensor may have no memory at all.
        let values: Uninit<'_> = match length {
            0 => &mut [],
            // SAFETY: `empty` makes row-major memory for `length` floats, which nobody else knows of yet.
            _ => unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), length) },
        };
        ganvas_cpu::written_by(values, fill);
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
        let tensor = &tensor.tensor;
        let kind = tensor.kind();
        assert!(kind == tch::Kind::Float, "expected 32-bit floats, found {kind:?}");
        let device = tensor.device();
        assert!(
            device == tch::Device::Cpu,
            "expected a tensor on the processor, found {device:?}"
        );
        assert!(tensor.is_contiguous(), "expected a contiguous tensor");
        match tensor.numel() {
            0 => &[],
            // SAFETY: contiguous, of 32-bit floats and on the processor, as seen above; libtorch keeps the memory as long as the
            // tensor. Nobody changes it in place meanwhile: burn-tch does so only where it holds a tensor once, and the layers
            // hold what they read.
            length => unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), length) },
        }
    }
}

#[cfg(all(test, any(feature = "ndarray", feature = "flex")))]
mod tests {
    use super::*;

    fn of(dtype: DType) -> TensorData {
        TensorData::new(vec![1.0_f32; 6], [2, 3]).convert_dtype(dtype)
    }

    #[test]
    #[cfg(feature = "flex")]
    #[should_panic = "expected 32-bit floats, found F16"]
    fn flex_refuses_other_floats() {
        let tensor = FlexMemory::contiguous(burn_flex::FlexTensor::from_data(of(DType::F16)));
        FlexMemory::read(&tensor);
    }

    #[test]
    #[cfg(feature = "ndarray")]
    #[should_panic = "expected 32-bit floats, found F64"]
    fn ndarray_refuses_other_floats() {
        let tensor = NdArrayMemory::contiguous(burn_ndarray::NdArrayTensor::from_data(of(DType::F64)));
        NdArrayMemory::read(&tensor);
    }
}
