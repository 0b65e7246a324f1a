//! Walking over the parameters of a network in the fixed order of its fields.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, backend::Backend, ops::FloatTensor},
};
use ganvas_model::{primitive, tensor, trainable_shapes};

/// The number of trainable values; buffers do not count.
pub fn count_parameters<B: Backend, M: Module<B>>(module: &M) -> usize {
    let shapes = trainable_shapes(module);
    shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

/// Every parameter, buffers included.
///
/// Primitives, because tensors of several ranks do not fit in one list, and to flatten them is to copy them on burn-ndarray.
pub(crate) fn parameters<B: Backend, M: Module<B>>(module: &M) -> Vec<FloatTensor<B>> {
    struct Collector<B: Backend>(Vec<FloatTensor<B>>);
    impl<B: Backend> ModuleVisitor<B> for Collector<B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0.push(primitive(param.val()));
        }
    }
    let mut collector = Collector(Vec::new());
    module.visit(&mut collector);
    collector.0
}

/// Replaces every parameter by what `function` makes of it and of the entry of `others` in the same place.
pub(crate) fn zip_parameters<B: Backend, M: Module<B>>(
    module: M,
    others: Vec<FloatTensor<B>>,
    function: impl Fn(FloatTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> M {
    struct Zip<B: Backend, F> {
        others: std::vec::IntoIter<FloatTensor<B>>,
        function: F,
    }
    impl<B: Backend, F: Fn(FloatTensor<B>, FloatTensor<B>) -> FloatTensor<B>> ModuleMapper<B> for Zip<B, F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let Some(other) = self.others.next() else { return param };
            let value = (self.function)(primitive(param.val()), other);
            Param::initialized(param.id, tensor(value))
        }
    }
    module.map(&mut Zip {
        others: others.into_iter(),
        function,
    })
}
