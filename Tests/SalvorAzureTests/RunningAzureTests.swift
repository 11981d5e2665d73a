import AzureEmulator
import Foundation
import SalvorAzure
import SalvorJSON
import Testing

/// What other tests stand on.
@Suite struct RunningAzureTests {
    @Test("It answers by HTTPS to whoever trusts its authority, and is gone afterwards with all that it kept")
    func answers() async throws {
        let (endpoint, folder) = try await RunningAzure.run { azure in
            try await azure.make("resourceGroups/rg", ["location": "westeurope"])
            let group = try await azure("GET", "resourceGroups/rg")
            #expect(group.json["name"]?.string == "rg")
            let identity = try await azure.connections.send(HTTPRequest("GET", "\(azure.metadata)/metadata/versions"))
            #expect(identity.status == 400)
            return (azure.endpoint, azure.folder)
        }
        #expect(!FileManager.default.fileExists(atPath: folder))
        let connections = try HTTPConnections(.init())
        await #expect(throws: AzureError(.unreachable, "", nextStep: "")) {
            try await connections.send(HTTPRequest("GET", endpoint, timeout: .seconds(5)))
        }
        await connections.close()
    }

    @Test("Whoever does not trust its authority is not connected")
    func untrusted() async throws {
        try await RunningAzure.run { azure in
            let connections = try HTTPConnections(.init())
            await #expect(throws: AzureError(.unreachable, "", nextStep: "")) {
                try await connections.send(HTTPRequest("GET", azure.endpoint, timeout: .seconds(5)))
            }
            await connections.close()
        }
    }
}
