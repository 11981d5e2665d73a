import FoundationEssentials
package import SalvorDigest
import SalvorJSON

/// How a stock Linux image becomes a rescue VM, where custom disks are not allowed: what cloud-init is told by
/// `customData` to install and to start.
package struct CloudInit: Sendable {
    /// Azure's limit on `customData`, decoded.
    static let limitBytes = 65_535
    static let agentPath = "/usr/sbin/salvor-agent"
    static let bootstrapPath = "/var/lib/salvor/bootstrap"

    /// Where the agent is fetched from. What comes is run only if it has this digest, so that the way need not be trusted.
    package var agentURL: String
    package var agentSHA256: Digest
    /// `Agent/salvor-agent.service`, whose sandbox holds here as well.
    package var unit: String
    /// The serialised salvor.v1.Bootstrap: secret.
    package var bootstrap: [UInt8]

    package init(agentURL: String, agentSHA256: Digest, unit: String, bootstrap: [UInt8]) {
        self.agentURL = agentURL
        self.agentSHA256 = agentSHA256
        self.unit = unit
        self.bootstrap = bootstrap
    }

    /// The document for `customData`, base64. JSON is YAML, and needs no quoting of our own.
    /// - Throws: ``AzureError/Code/badSetting`` where Azure would refuse it.
    func customData() throws(AzureError) -> String {
        let scheme = agentURL.lowercased()
        guard scheme.hasPrefix("https://") || scheme.hasPrefix("http://"),
            agentURL.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !agentURL.contains("'")
        else {
            throw AzureError(
                .badSetting, "“\(agentURL)” is no address that a rescue VM can fetch its agent from.",
                nextStep: "Name an https:// address with --agent-url.")
        }
        let text = "#cloud-config\n" + document.text + "\n"
        guard text.utf8.count <= Self.limitBytes else {
            throw AzureError(
                .badSetting,
                "What cloud-init has to be told takes \(text.utf8.count) bytes; Azure allows \(Self.limitBytes).",
                nextStep: "Use Salvor's own rescue image.")
        }
        return Data(text.utf8).base64EncodedString()
    }

    private var document: JSONValue {
        [
            "package_update": true,
            "packages": ["ntfs-3g", "cryptsetup-bin", "libssl3", "libhivex0", "curl"],
            // Nobody logs in: no user but root, no password, and what listens is stopped.
            "users": [], "disable_root": true, "ssh_pwauth": false,
            "write_files": [
                file(Self.bootstrapPath, Data(bootstrap).base64EncodedString(), mode: "0600", encoding: "b64"),
                file("/etc/systemd/system/salvor-agent.service", unit, mode: "0644"),
                file("/etc/systemd/system/salvor-agent.service.d/azure.conf", Self.dropIn, mode: "0644"),
                file("/usr/local/sbin/salvor-install", install, mode: "0700"),
            ],
            "runcmd": [["/usr/local/sbin/salvor-install"]],
        ]
    }

    private func file(_ path: String, _ content: String, mode: String, encoding: String? = nil) -> JSONValue {
        var file: [String: JSONValue] = [
            "path": .string(path), "content": .string(content), "permissions": .string(mode), "owner": "root:root",
        ]
        if let encoding { file["encoding"] = .string(encoding) }
        return .object(file)
    }

    /// There is no config disk here.
    private static let dropIn = """
        [Unit]
        ConditionPathExists=
        [Service]
        ExecStartPre=
        ExecStart=
        ExecStart=\(agentPath) --bootstrap \(bootstrapPath)
        ExecStopPost=

        """

    /// Whatever goes wrong, the machine powers off: it costs money and is of no use without its agent.
    private var install: String {
        """
        #!/bin/sh
        trap '[ $? = 0 ] || { echo "salvor-install: failed; powering off" >/dev/console; poweroff; }' EXIT
        set -eu
        systemctl disable --now ssh.service ssh.socket 2>/dev/null || true
        curl --fail --silent --show-error --location --max-time 300 --retry 5 --output /run/salvor-agent '\(agentURL)'
        echo '\(agentSHA256.hex)  /run/salvor-agent' | sha256sum --check --status
        install -m 0755 /run/salvor-agent \(Self.agentPath)
        rm -f /run/salvor-agent
        systemctl daemon-reload
        systemctl start --no-block salvor-agent.service

        """
    }
}

/// An image of the marketplace: `PUBLISHER:OFFER:SKU:VERSION`.
package struct StockImage: Hashable, Sendable {
    package var publisher: String
    package var offer: String
    package var sku: String
    package var version: String

    package static let debian = StockImage(publisher: "Debian", offer: "debian-12", sku: "12-gen2", version: "latest")

    package init(publisher: String, offer: String, sku: String, version: String) {
        self.publisher = publisher
        self.offer = offer
        self.sku = sku
        self.version = version
    }

    /// - Parameter urn: as az writes it; nil for anything else.
    package init?(urn: String) {
        let parts = urn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, !parts.contains("") else { return nil }
        self.init(publisher: parts[0], offer: parts[1], sku: parts[2], version: parts[3])
    }
}

/// A public key for which there is no private one. Azure demands a way of logging in with every stock Linux image.
enum KeyWithoutOwner {
    /// An RSA key whose modulus is random: nobody knows its factors.
    static func ssh() -> String {
        var modulus = (0..<256).map { _ in UInt8.random(in: .min ... .max) }
        modulus[0] |= 0x80
        modulus[255] |= 1
        let blob = field(Array("ssh-rsa".utf8)) + field([1, 0, 1]) + field([0] + modulus)
        return "ssh-rsa \(Data(blob).base64EncodedString()) nobody"
    }

    private static func field(_ bytes: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
    }
}
