//! Linear maps of pixels, with their gradients.

use std::{marker::PhantomData, sync::Arc};

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::PixelMap;

use crate::{
    memory::CpuMemory,
    parallel::{write_rows, write_runs},
    tracked::tracked,
    uninit::fill,
};

/// [`FusedLayers::map_pixels`](ganvas_model::FusedLayers::map_pixels)
pub(crate) fn map_pixels<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<Autodiff<B>>,
    map: Arc<PixelMap>,
) -> FloatTensor<Autodiff<B>> {
    let nodes = [input.node.clone()];
    let output = infer::<B, M>(input.primitive, &map);
    tracked(MapStep::<B, M>(PhantomData).prepare(nodes), output, map)
}

/// The same without a backward pass.
///
/// # Panics
/// If the input has other pixels than the map takes.
pub(crate) fn infer<B: Backend, M: CpuMemory<B>>(input: FloatTensor<B>, map: &PixelMap) -> FloatTensor<B> {
    let input = M::contiguous(input);
    let [channels, pixels, batch] = input.shape().dims::<3>();
    assert_eq!(pixels, map.inputs(), "the pixels that the map takes");
    let terms = &map.terms();
    let values = M::read(&input);
    M::create(&[channels, terms.len(), batch], |out| {
        write_rows(out, terms.len() * batch, |channel, out| {
            let image = &values[channel * pixels * batch..][..pixels * batch];
            write_runs(out, batch, |pixel, out| {
                let out = fill(out, 0.0);
                for &(from, weight) in &terms[pixel] {
                    for (sum, value) in out.iter_mut().zip(&image[from * batch..][..batch]) {
                        *sum += weight * value;
                    }
                }
                out
            })
        })
    })
}

#[derive(Debug)]
struct MapStep<B, M>(PhantomData<fn(B, M)>);

impl<B: Backend, M: CpuMemory<B>> Backward<B, 1> for MapStep<B, M> {
    type State = Arc<PixelMap>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            gradients.register::<B>(parent.id, infer::<B, M>(gradient, &ops.state.transposed()));
        }
    }
}
