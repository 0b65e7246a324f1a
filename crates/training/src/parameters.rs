//! Walking over the parameters of a network in the fixed order of its fields.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, backend::Backend, ops::FloatTensor},
};
use ganvas_model::{named_tensors, primitive, tensor};

/// The number of trainable values; running statistics do not count.
pub fn count_parameters<B: Backend, M: Module<B>>(module: &M) -> usize {
    struct Counter(usize);
    impl<B: Backend> ModuleVisitor<B> for Counter {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            if param.is_require_grad() {
                self.0 += param.shape().num_elements();
            }
        }
    }
    let mut counter = Counter(0);
    module.visit(&mut counter);
    counter.0
}

/// Names and shapes of the trainable parameters, in order: all but the running statistics.
pub(crate) fn trainable<B: Backend, M: Module<B>>(module: &M) -> Vec<(String, Vec<usize>)> {
    named_tensors(module)
        .into_iter()
        .filter(|tensor| !tensor.name.contains(".running_"))
        .map(|tensor| (tensor.name, tensor.shape))
        .collect()
}

/// Every parameter, running statistics included.
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
