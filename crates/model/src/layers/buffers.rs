//! What a forward pass wants a network's buffers to become.

use std::{collections::HashMap, fmt};

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::{Tensor, backend::Backend, ops::FloatTensor},
};

use super::fused::{primitive, tensor};

type Update<B> = Box<dyn FnOnce(FloatTensor<B>) -> FloatTensor<B> + Send>;

/// Updates of buffers: parameters without gradient that training moves, such as the running statistics of a batch
/// normalization or the power-iteration vectors of a spectral normalization.
///
/// A forward pass never changes a network. Each layer [pushes](Self::push) what it wants changed, and whoever owns the
/// network [applies](Self::apply) that, or drops it.
pub struct BufferUpdates<B: Backend> {
    updates: Vec<(ParamId, Update<B>)>,
}

impl<B: Backend> Default for BufferUpdates<B> {
    fn default() -> Self {
        Self { updates: Vec::new() }
    }
}

impl<B: Backend> fmt::Debug for BufferUpdates<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffers: Vec<ParamId> = self.updates.iter().map(|(buffer, _)| *buffer).collect();
        formatter.debug_tuple("BufferUpdates").field(&buffers).finish()
    }
}

impl<B: Backend> BufferUpdates<B> {
    /// Asks for `buffer` to become what `update` makes of its value. Several updates of one buffer are made in their order,
    /// each from what the one before gave. Whatever `update` holds should be detached, or the pass's graph stays alive until then.
    pub fn push<const D: usize>(
        &mut self,
        buffer: &Param<Tensor<B, D>>,
        update: impl FnOnce(Tensor<B, D>) -> Tensor<B, D> + Send + 'static,
    ) {
        let update = move |value| primitive(update(tensor::<B, D>(value)));
        self.updates.push((buffer.id, Box::new(update)));
    }

    /// Adds the updates of a later pass.
    pub fn append(&mut self, later: Self) {
        self.updates.extend(later.updates);
    }

    /// The number of updates.
    pub fn len(&self) -> usize {
        self.updates.len()
    }

    /// True where the pass met no buffer.
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Moves the buffers of `module`, found by their parameters' identities.
    pub fn apply<M: Module<B>>(self, module: M) -> M {
        if self.is_empty() {
            return module;
        }
        let mut mapper = Apply {
            updates: HashMap::new(),
        };
        for (buffer, update) in self.updates {
            mapper.updates.entry(buffer).or_default().push(update);
        }
        module.map(&mut mapper)
    }
}

struct Apply<B: Backend> {
    updates: HashMap<ParamId, Vec<Update<B>>>,
}

impl<B: Backend> ModuleMapper<B> for Apply<B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(updates) = self.updates.remove(&param.id) else {
            return param;
        };
        let moved = updates
            .into_iter()
            .fold(primitive(param.val()), |value, update| update(value));
        // A new leaf: a buffer must not keep the graph of every step alive.
        Param::initialized(param.id, tensor::<B, D>(moved).detach().set_require_grad(false))
    }
}
