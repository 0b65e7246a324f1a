//! im2col: gathering the pixels under a kernel, and adding them back.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use ganvas_model::Window;

use crate::{
    parallel::{write_rows, write_runs},
    uninit::{Uninit, fill, write},
};

/// The tables of the windows met so far; a program has a handful.
static TABLES: LazyLock<RwLock<HashMap<Window, Arc<[i32]>>>> = LazyLock::new(RwLock::default);

fn table(window: &Window) -> Arc<[i32]> {
    if let Some(table) = TABLES.read().unwrap_or_else(PoisonError::into_inner).get(window) {
        return table.clone();
    }
    let table: Arc<[i32]> = window.table().into();
    let mut tables = TABLES.write().unwrap_or_else(PoisonError::into_inner);
    tables.insert(*window, table.clone());
    table
}

/// `[channels, pixels, batch]` to `[channels, taps · positions, batch]`, zero outside the image.
pub(crate) fn gather<'a>(window: &Window, batch: usize, input: &[f32], out: Uninit<'a>) -> &'a mut [f32] {
    let table = table(window);
    let image = window.pixels() * batch;
    write_rows(out, table.len() * batch, |channel, out| {
        let image = &input[channel * image..][..image];
        write_runs(out, batch, |index, out| {
            let pixel = table[index] as usize;
            match image.get(pixel * batch..(pixel + 1) * batch) {
                Some(values) => write(out, values),
                None => fill(out, 0.0),
            }
        })
    })
}

/// `[channels, taps · positions, batch]` added into `[channels, pixels, batch]`; what lies outside the image is dropped.
pub(crate) fn scatter<'a>(window: &Window, batch: usize, input: &[f32], out: Uninit<'a>) -> &'a mut [f32] {
    let table = table(window);
    let columns = table.len() * batch;
    write_rows(out, window.pixels() * batch, |channel, out| {
        let image = fill(out, 0.0);
        let columns = &input[channel * columns..][..columns];
        for (&pixel, values) in table.iter().zip(columns.chunks_exact(batch)) {
            if let Some(image) = image.get_mut(pixel as usize * batch..(pixel as usize + 1) * batch) {
                for (sum, value) in image.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
        image
    })
}

/// `[first, second, run]` to `[second, first, run]`.
pub(crate) fn swap_runs<'a>(input: &[f32], [first, second]: [usize; 2], run: usize, out: Uninit<'a>) -> &'a mut [f32] {
    write_rows(out, first * run, |second_index, out| {
        write_runs(out, run, |first_index, out| {
            write(out, &input[(first_index * second + second_index) * run..][..run])
        })
    })
}
