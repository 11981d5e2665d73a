internal import SalvorJSON
internal import SalvorSystem
import SystemPackage

extension QEMUMachine {
    private static let screenshotName = "screen.png"
    /// A screen of the largest size that a VGA adapter shows is far below this.
    private static let longestScreenshot = 32 << 20

    /// What the machine's screen shows, as a PNG file's bytes.
    /// - Throws: ``QEMUError/Code/commandRefused`` for a machine without
    ///   ``QEMUCommandLine/graphics``.
    package func screenshot() async throws(QEMUError) -> [UInt8] {
        // Named relative to the machine's folder, which is where QEMU runs; two at once would mix.
        let file = folder.path.appending(Self.screenshotName)
        return try await plugging.take { () async throws(QEMUError) in
            try await self.monitor.execute("screendump", ["filename": .string(Self.screenshotName), "format": "png"])
            return try await Blocking.run { () throws(QEMUError) in
                defer { try? PosixFile.remove(file) }
                return try PosixFile.read(file, limit: Self.longestScreenshot)
            }
        }
    }
}
