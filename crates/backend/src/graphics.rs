//! The adapters that burn-wgpu can compute on.

use burn_wgpu::WgpuDevice;
use wgpu::{Backend, DeviceType, Instance, InstanceDescriptor};

use crate::{BackendKind, DeviceInfo, device::Devices};

/// The adapters of the interface that a backend uses here, GPUs before software adapters.
pub(crate) fn devices(kind: BackendKind) -> Devices<WgpuDevice> {
    for interface in interfaces(kind) {
        let devices = devices_of(interface);
        if !devices.is_empty() {
            #[cfg(windows)]
            if interface == Backend::Dx12 {
                use_directx(&devices);
            }
            return Ok(devices);
        }
    }
    Err(match std::env::consts::OS {
        "linux" => {
            "no Vulkan adapter, neither a GPU with its driver nor a software driver; `cargo xtask setup vulkan` \
                    installs the software driver"
                .to_owned()
        }
        "macos" if kind == BackendKind::Vulkan => "macOS has no Vulkan of its own; take `wgpu` or `metal`".to_owned(),
        _ => "no adapter for GPU computing; install the driver of the GPU's maker".to_owned(),
    })
}

/// What cubecl takes by itself stands first.
fn interfaces(kind: BackendKind) -> Vec<Backend> {
    match (kind, std::env::consts::OS) {
        (BackendKind::Metal, _) | (BackendKind::Wgpu, "macos") => vec![Backend::Metal],
        (BackendKind::Wgpu, "windows") => vec![Backend::Vulkan, Backend::Dx12],
        _ => vec![Backend::Vulkan],
    }
}

fn devices_of(interface: Backend) -> Vec<(WgpuDevice, DeviceInfo)> {
    let instance = Instance::new(InstanceDescriptor {
        backends: interface.into(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut found = Vec::new();
    // cubecl counts adapters of each type in the order in which wgpu lists them; the names follow it.
    let mut counts = [0_usize; 3];
    let mut next = |class: usize| {
        let index = counts[class];
        counts[class] += 1;
        index
    };
    for adapter in pollster::block_on(instance.enumerate_adapters(interface.into())) {
        let info = adapter.get_info();
        let (device, name) = match info.device_type {
            DeviceType::DiscreteGpu => {
                let index = next(0);
                (WgpuDevice::DiscreteGpu(index), format!("discrete:{index}"))
            }
            DeviceType::IntegratedGpu => {
                let index = next(1);
                (WgpuDevice::IntegratedGpu(index), format!("integrated:{index}"))
            }
            DeviceType::VirtualGpu => {
                let index = next(2);
                (WgpuDevice::VirtualGpu(index), format!("virtual:{index}"))
            }
            DeviceType::Cpu => (WgpuDevice::Cpu, "software".to_owned()),
            DeviceType::Other => (WgpuDevice::DefaultDevice, "other".to_owned()),
        };
        // One of a kind: cubecl can name only the first software adapter.
        if found.iter().any(|(_, known): &(_, DeviceInfo)| known.name == name) {
            continue;
        }
        let software = info.device_type == DeviceType::Cpu;
        let description = format!("{}, {interface:?}", info.name);
        found.push((
            device,
            DeviceInfo {
                name,
                description,
                software,
            },
        ));
    }
    found.sort_by_key(|(device, _)| match device {
        WgpuDevice::DiscreteGpu(_) => 0,
        WgpuDevice::IntegratedGpu(_) => 1,
        WgpuDevice::VirtualGpu(_) => 2,
        WgpuDevice::Cpu => 4,
        _ => 3,
    });
    found
}

/// cubecl takes Vulkan on Windows unless asked otherwise, once for each device and before its first use.
#[cfg(windows)]
fn use_directx(devices: &[(WgpuDevice, DeviceInfo)]) {
    static ASKED: std::sync::Once = std::sync::Once::new();
    ASKED.call_once(|| {
        for (device, _) in devices {
            burn_wgpu::init_setup::<burn_wgpu::graphics::Dx12>(device, Default::default());
        }
    });
}
