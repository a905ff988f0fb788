//! VirtualBox: files of machines and of the installation, what `VBoxManage` prints, and what it is told.

mod adapter;
pub mod global_file;
pub mod listing;
pub mod machine_file;
pub mod manage;
pub mod networks_conf;
mod text;
mod value;
pub mod vm_info;
mod xml_forward;
