//! Vulkan for burn-wgpu: a GPU where there is one, otherwise Mesa's software driver.

use anyhow::{Context, bail};

/// Something that Vulkan computes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// As its driver calls it.
    pub name: String,
    /// True where it is the processor after all.
    pub software: bool,
}

/// Finds an adapter, installing the software driver where there is none.
pub fn set_up() -> anyhow::Result<Adapter> {
    if cfg!(target_os = "macos") {
        return Ok(Adapter {
            name: "Metal".into(),
            software: false,
        });
    }
    if let Some(adapter) = best() {
        return Ok(adapter);
    }
    if cfg!(windows) {
        bail!("no Vulkan adapter; install the driver that the maker of the GPU offers, or leave wgpu out");
    }
    println!("no Vulkan adapter is here: neither a GPU with its driver nor a software driver");
    crate::packages::install(&crate::packages::SOFTWARE_VULKAN)?;
    best().context("no Vulkan adapter, though the software driver is installed; `vulkaninfo` may say why")
}

/// The adapter that wgpu would take: a GPU before a software adapter.
pub fn best() -> Option<Adapter> {
    adapters().into_iter().min_by_key(|adapter| adapter.software)
}

/// All adapters, none where Vulkan itself is missing or broken.
fn adapters() -> Vec<Adapter> {
    use ash::vk;

    // Vulkan is a C library that is loaded while we run. The calls follow its rules: the instance outlives what is asked
    // of it, and is destroyed once, last.
    #[allow(unsafe_code)]
    unsafe {
        let Ok(entry) = ash::Entry::load() else {
            return Vec::new();
        };
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_0);
        let Ok(instance) =
            entry.create_instance(&vk::InstanceCreateInfo::default().application_info(&application), None)
        else {
            return Vec::new();
        };
        let found = instance
            .enumerate_physical_devices()
            .unwrap_or_default()
            .into_iter()
            .map(|device| {
                let properties = instance.get_physical_device_properties(device);
                let name = properties
                    .device_name_as_c_str()
                    .map(|name| name.to_string_lossy().into_owned());
                Adapter {
                    name: name.unwrap_or_else(|_| "unnamed".into()),
                    software: properties.device_type == vk::PhysicalDeviceType::CPU,
                }
            })
            .collect();
        instance.destroy_instance(None);
        found
    }
}
