internal import SalvorJSON

/// QEMU's user-mode network: no root, no bridge. The guest gets 10.0.2.15/24, unless ``UserNetwork/prefix`` says
/// otherwise, and reaches nothing but what is forwarded.
package struct UserNetwork: Hashable, Sendable {
    package enum Card: String, Hashable, Sendable {
        case virtio = "virtio-net-pci"
        /// For guests that have no virtio driver.
        case e1000e
    }

    /// A place that the guest can dial. For each connection QEMU runs `command`, whose standard input and output are
    /// the connection; so any number can be open at once, which a forward to a character device cannot do.
    package struct GuestForward: Hashable, Sendable {
        /// Within the network, 10.0.2.0/24 unless it was chosen, and none of the addresses that the network itself uses.
        package var address: String
        package var port: Int
        package var command: [String]

        package init(address: String = "10.0.2.100", port: Int, command: [String]) {
            self.address = address
            self.port = port
            self.command = command
        }
    }

    /// A port of this computer that leads to one of the guest's.
    package struct HostForward: Hashable, Sendable {
        /// One that this computer has.
        package var hostAddress: String
        package var hostPort: Int
        package var guestPort: Int

        package init(hostAddress: String = "127.0.0.1", hostPort: Int, guestPort: Int) {
            self.hostAddress = hostAddress
            self.hostPort = hostPort
            self.guestPort = guestPort
        }

        /// On 127.0.0.1. The kernel picks the port; ``QEMUMachine/hostPort(forwardedTo:)`` says which.
        package static func toAnyFreePort(guestPort: Int) -> HostForward {
            HostForward(hostPort: 0, guestPort: guestPort)
        }
    }

    /// The guest's address, which DHCP gives and which may be set up without asking.
    package static let guestAddress = "10.0.2.15/24"
    package static let gateway = "10.0.2.2"

    package var card: Card
    /// The network's addresses, `160.0.0.0/4`; nil for 10.0.2.0/24. At least four bits, which libslirp insists on; the
    /// guest gets the address ending in 2.15, and all of it is one link, so that a place to dial can be anywhere in it.
    package var prefix: String?
    /// The card's hardware address, `00:0d:3a:12:34:56`; nil for QEMU's.
    package var macAddress: String?
    package var guestForwards: [GuestForward]
    package var hostForwards: [HostForward]

    package init(card: Card = .virtio, guestForwards: [GuestForward] = [], hostForwards: [HostForward] = []) {
        self.card = card
        self.guestForwards = guestForwards
        self.hostForwards = hostForwards
    }

    /// The value of `-netdev`.
    var netdev: String {
        var parts = ["user", "id=net0", "ipv6=off", "restrict=on"]
        if let prefix { parts.append("net=" + OptionText.escaped(prefix)) }
        parts += guestForwards.map { forward in
            let command = forward.command.map(Self.quoted).joined(separator: " ")
            return "guestfwd=" + OptionText.escaped("tcp:\(forward.address):\(forward.port)-cmd:\(command)")
        }
        parts += hostForwards.map { "hostfwd=tcp:\($0.hostAddress):\($0.hostPort)-:\($0.guestPort)" }
        return parts.joined(separator: ",")
    }

    /// Without the card's boot ROM, which the firmware would run and nobody boots from.
    var device: JSONValue {
        var members: [String: JSONValue] = [
            "driver": .string(card.rawValue), "id": "nic0", "netdev": "net0", "romfile": "",
        ]
        members["mac"] = macAddress.map { .string($0) }
        return .object(members)
    }

    /// libslirp splits the command by the shell's quoting rules (`g_shell_parse_argv`), though no shell runs it.
    static func quoted(_ argument: String) -> String {
        var result = "'"
        for character in argument {
            if character == "'" { result += "'\\''" } else { result.append(character) }
        }
        return result + "'"
    }
}

/// QEMU's `key=value,key=value` syntax.
enum OptionText {
    /// A comma ends a value unless it is doubled.
    static func escaped(_ text: String) -> String {
        String(text.flatMap { $0 == "," ? [$0, $0] : [$0] })
    }
}
