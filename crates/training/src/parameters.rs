//! Walking over the parameters of a network in the fixed order of its fields.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, backend::Backend},
};

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

/// Every parameter as a vector, running statistics included.
pub(crate) fn flat_parameters<B: Backend, M: Module<B>>(module: &M) -> Vec<Tensor<B, 1>> {
    struct Collector<B: Backend>(Vec<Tensor<B, 1>>);
    impl<B: Backend> ModuleVisitor<B> for Collector<B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0.push(param.val().flatten(0, D - 1));
        }
    }
    let mut collector = Collector(Vec::new());
    module.visit(&mut collector);
    collector.0
}

/// Replaces every parameter by what `function` makes of it and of the entry of `others` in the same place.
pub(crate) fn zip_parameters<B: Backend, M: Module<B>>(
    module: M,
    others: Vec<Tensor<B, 1>>,
    function: impl Fn(Tensor<B, 1>, Tensor<B, 1>) -> Tensor<B, 1>,
) -> M {
    struct Zip<B: Backend, F> {
        others: std::vec::IntoIter<Tensor<B, 1>>,
        function: F,
    }
    impl<B: Backend, F: Fn(Tensor<B, 1>, Tensor<B, 1>) -> Tensor<B, 1>> ModuleMapper<B> for Zip<B, F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let Some(other) = self.others.next() else { return param };
            let shape = param.shape();
            let value = (self.function)(param.val().flatten(0, D - 1), other).reshape(shape);
            Param::initialized(param.id, value)
        }
    }
    module.map(&mut Zip {
        others: others.into_iter(),
        function,
    })
}
