internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorCoordinatorCore
internal import SalvorDigest
internal import SalvorImage
internal import SystemPackage

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Makes the rescue VM's kernel and initramfs.", subcommands: [Build.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "build",
            abstract: "Builds the rescue image from Debian packages, without root, and keeps it in the cache.",
            discussion: """
                The same inputs give the same bytes, and are not built twice. The network is needed for packages that \
                are not in the cache yet.

                Example:
                  salvor image build --output json
                """)

        @Option(help: ArgumentHelp("The salvor-agent to put in. Default: the one beside salvor.", valueName: "file"))
        var agent: String?

        @OptionGroup var shared: SharedOptions

        func run() async throws {
            try await ending { [self] in
                let context = try RunContext(shared)
                let agent = agent.map { RunContext.absolute($0) } ?? context.installation.agent.path
                let image = try await context.images.build(agent: FilePath(agent)) {
                    StandardStreams.note("rescue image: \($0)")
                }
                try Self.print(image, shared.output)
                return .success
            }
        }

        private struct Output: Encodable {
            var digest: String
            var kernel: String
            var kernelRelease: String
            var kernelBytes: Int
            var initramfs: String
            var initramfsBytes: Int
            var initramfsSHA256: String
        }

        private static func print(_ image: RescueImage, _ format: OutputFormat) throws {
            switch format {
            case .json:
                StandardStreams.print(
                    try JSONOutput.render(
                        Output(
                            digest: image.digest.hex, kernel: image.kernel.string, kernelRelease: image.kernelRelease,
                            kernelBytes: image.kernelSizeBytes, initramfs: image.initramfs.string,
                            initramfsBytes: image.initramfsSizeBytes, initramfsSHA256: image.initramfsSHA256.hex)))
            case .table:
                var table = TextTable("PART", "MB", "FILE")
                table.add("kernel \(image.kernelRelease)", megabytes(image.kernelSizeBytes), image.kernel.string)
                table.add("initramfs", megabytes(image.initramfsSizeBytes), image.initramfs.string)
                StandardStreams.print(table.rendered)
            }
        }

        private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10)" }
    }
}
