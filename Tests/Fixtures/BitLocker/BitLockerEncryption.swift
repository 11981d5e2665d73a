package import SystemPackage

/// Something by which an NTFS volume becomes one of BitLocker's, and is looked into again without the agent's code.
package protocol BitLockerEncryption: Sendable {
    /// Encrypts the NTFS volume in a file, in place.
    func seal(_ image: FilePath) throws

    /// Decrypts the volume of `count` bytes at `start` of a disk, in place.
    func unseal(_ disk: FilePath, at start: Int, count: Int) throws

    /// Where such a volume's own header and the copies of its metadata lie.
    func metadataRanges(volumeBytes: Int) -> [Range<Int>]
}

extension BitLockerSpec: BitLockerEncryption {
    package func seal(_ image: FilePath) throws { try BitLockerVolume.seal(image, self) }

    package func unseal(_ disk: FilePath, at start: Int, count: Int) throws {
        try BitLockerVolume.unseal(disk, self, at: start, count: count)
    }

    package func metadataRanges(volumeBytes: Int) -> [Range<Int>] {
        BitLockerVolume.metadataRanges(volumeBytes: volumeBytes)
    }
}
