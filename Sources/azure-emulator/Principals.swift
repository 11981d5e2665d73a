import ArgumentParser
import AzureEmulator
import SalvorDigest

/// Who may sign in to the emulator, and by which of the state folder's files.
struct Principals {
    /// A further application, as `--application` names it.
    struct Wanted: ExpressibleByArgument {
        let name: String
        /// Nil for one that has to be given all it may do.
        let role: String?

        init?(argument: String) {
            let halves = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = halves.first, !name.isEmpty,
                name.utf8.allSatisfy({
                    ("a"..."z").contains(Character(.init($0))) || (0x30...0x39).contains($0) || $0 == 0x2D
                })
            else { return nil }
            let role = halves.count == 2 ? String(halves[1]) : "none"
            guard role == "none" || EmulatorConfiguration.builtInRoles.contains(role) else { return nil }
            self.name = String(name)
            self.role = role == "none" ? nil : role
        }
    }

    let applications: [EmulatorConfiguration.Application]
    let host: EmulatorConfiguration.HostIdentity
    let identityHeader: String
    private let folder: StateFolder

    private static let application = "33333333-3333-4333-8333-333333333333"
    private static let hostClient = "44444444-4444-4444-8444-444444444444"

    init(_ folder: StateFolder, _ wanted: [Wanted]) throws {
        self.folder = folder
        func digest(_ text: String) -> Digest { SHA256.digest(of: Array(text.utf8)) }
        var applications = [
            EmulatorConfiguration.Application(
                id: Self.application, secretSHA256: digest(try folder.secret()),
                certificates: [try folder.clientCertificate()], federated: [try folder.federation()])
        ]
        for one in wanted {
            applications.append(
                .init(
                    id: PrincipalID.derived(from: "application \(one.name)"), name: one.name,
                    secretSHA256: digest(try folder.secret(of: one.name)), role: one.role))
        }
        self.applications = applications
        host = .init(clientID: Self.hostClient)
        identityHeader = try folder.identityHeader()
    }

    /// Lines of a name and a value, for whoever starts the emulator.
    var text: String {
        func line(_ name: String, _ value: String) -> String {
            name + String(repeating: " ", count: max(1, 14 - name.count)) + value + "\n"
        }
        var text = ""
        if let first = applications.first {
            text += line("application", first.id) + line("principal", first.objectID)
        }
        text += line("secret", "in " + folder.path(StateFolder.secretName(nil)))
        text += line("certificate", "in " + folder.path("client-certificate.pem"))
        text += line("federated", "in " + folder.path("federated-token"))
        for one in applications.dropFirst() {
            text += line(one.name, "\(one.id) \(one.objectID) in \(folder.path(StateFolder.secretName(one.name)))")
        }
        text += line("identity", "\(host.clientID) \(host.objectID)")
        text += line("header", "in " + folder.path("identity-header"))
        return text
    }
}
