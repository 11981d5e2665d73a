package import SalvorDigest
package import SystemPackage

/// A rescue image as a disk that a machine starts from: a fixed VHD, which is what Azure takes.
package struct RescueDisk: Sendable, Hashable {
    /// The agent knows the disk that it was started from by this GUID of its partition table, although nothing of it is
    /// mounted. No disk that is to be repaired has it.
    package static let diskGUID = "5a1f0b00-7265-4363-9565-64697363e291"

    package let vhd: FilePath
    /// Names the disk: SHA-256 over the image's digest, the loaders' and the layout.
    package let digest: Digest
    /// Of the file.
    package let sha256: Digest
    /// What the guest sees: whole MiB. The file is longer by the footer's 512 bytes.
    package let diskBytes: Int
    /// What of it is not zero, in blocks of 4 KiB; about as much has to be uploaded.
    package let contentBytes: Int
    /// What it was made from.
    package let image: RescueImage

    package var fileBytes: Int { diskBytes + VHDFooter.bytes }
}
