package statefile

import (
	"os"
	"slices"
	"syscall"
)

// networkTypes are the file systems, by the magic numbers of statfs(2), whose
// locks are kept by a server: it may give a lock away while its holder lives
// and is only cut off.
func networkTypes() []uint32 {
	return []uint32{
		0x6969,     // NFS
		0xff534d42, // CIFS
		0xfe534d42, // SMB2
		0x517b,     // SMB
		0x00c36400, // Ceph
		0x5346414f, // AFS
		0x0bd00bd0, // Lustre
		0x47504653, // GPFS
	}
}

func onNetwork(f *os.File) (bool, error) {
	var stat syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &stat); err != nil {
		return false, os.NewSyscallError("fstatfs", err)
	}
	return slices.Contains(networkTypes(), uint32(stat.Type)), nil
}
