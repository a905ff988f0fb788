//! `VBoxManage` lines and what is read from them.
