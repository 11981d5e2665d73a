import SalvorJSON
import Testing

@testable import SalvorAzure

/// What is read from Azure's JSON.
@Suite struct BrokenVMTests {
    private static let group = "/subscriptions/s/resourceGroups/rg/providers"

    private static func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    /// In the shapes of Microsoft's API descriptions, with all that a rescue cares for.
    private static let machine = """
        {
          "id": "\(group)/Microsoft.Compute/virtualMachines/web-01", "name": "web-01", "location": "westeurope",
          "zones": ["2"], "etag": "\\"7\\"", "tags": {"owner": "me"},
          "plan": {"name": "p", "publisher": "pub", "product": "prod"},
          "resources": [
            {"id": "\(group)/Microsoft.Compute/virtualMachines/web-01/extensions/CrowdStrikeFalconSensor",
             "properties": {"publisher": "Crowdstrike.Falcon", "type": "FalconSensorWindows",
                            "typeHandlerVersion": "1.0", "provisioningState": "Succeeded"}},
            {"id": "\(group)/Microsoft.Compute/virtualMachines/web-01/extensions/NameAlone"}
          ],
          "properties": {
            "vmId": "v", "provisioningState": "Succeeded", "timeCreated": "2023-01-01T00:00:00Z",
            "osProfile": {"computerName": "WEB-01"},
            "licenseType": "Windows_Server", "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "securityProfile": {"securityType": "TrustedLaunch", "encryptionAtHost": true},
            "virtualMachineScaleSet": {"id": "\(group)/Microsoft.Compute/virtualMachineScaleSets/flex"},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": "https://x.blob"}},
            "networkProfile": {"networkInterfaces": [
              {"id": "\(group)/Microsoft.Network/networkInterfaces/second", "properties": {"primary": false}},
              {"id": "\(group)/Microsoft.Network/networkInterfaces/first", "properties": {"primary": true}}]},
            "storageProfile": {
              "dataDisks": [{"lun": 0}, {"lun": 1}],
              "osDisk": {
                "name": "web-01-os", "osType": "Windows", "caching": "ReadWrite", "createOption": "FromImage",
                "deleteOption": "Delete", "writeAcceleratorEnabled": true, "diskSizeGB": 127,
                "managedDisk": {
                  "id": "\(group)/Microsoft.Compute/disks/web-01-os", "storageAccountType": "Premium_LRS",
                  "diskEncryptionSet": {"id": "\(group)/Microsoft.Compute/diskEncryptionSets/des"},
                  "securityProfile": {"securityEncryptionType": "VMGuestStateOnly",
                                      "diskEncryptionSet": {"id": "\(group)/Microsoft.Compute/diskEncryptionSets/cvm"}}
                }}},
            "instanceView": {
              "computerName": "WEB-01", "osName": "Windows Server 2022 Datacenter", "hyperVGeneration": "V2",
              "vmAgent": {"vmAgentVersion": "Unknown", "statuses": [
                {"code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
                 "message": "VM status blob is found but not yet populated.", "time": "2024-07-19T05:00:00+00:00"}]},
              "extensions": [{"name": "Seen", "type": "Microsoft.Azure.Security.AzureDiskEncryption"}],
              "statuses": [
                {"code": "ProvisioningState/failed/VMExtensionError", "level": "Error", "message": "It failed."},
                {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"}]}
          }
        }
        """

    private static let disk = """
        {
          "id": "\(group)/Microsoft.Compute/disks/web-01-os", "name": "web-01-os", "location": "westeurope",
          "zones": ["2"], "tags": {"a": "b"}, "sku": {"name": "PremiumV2_LRS", "tier": "Premium"},
          "managedBy": "\(group)/Microsoft.Compute/virtualMachines/WEB-01",
          "managedByExtended": ["\(group)/Microsoft.Compute/virtualMachines/web-01"],
          "properties": {
            "osType": "Windows", "hyperVGeneration": "V2", "diskSizeGB": 127, "diskSizeBytes": 136367308800,
            "diskState": "Attached", "provisioningState": "Succeeded", "maxShares": 2, "tier": "P30",
            "purchasePlan": {"name": "p", "publisher": "pub", "product": "prod", "promotionCode": "c"},
            "securityProfile": {"securityType": "ConfidentialVM_DiskEncryptedWithCustomerKey",
                                "secureVMDiskEncryptionSetId": "\(group)/Microsoft.Compute/diskEncryptionSets/cvm"},
            "encryption": {"type": "EncryptionAtRestWithCustomerKey",
                           "diskEncryptionSetId": "\(group)/Microsoft.Compute/diskEncryptionSets/des"},
            "encryptionSettingsCollection": {"enabled": true, "encryptionSettingsVersion": "1.1", "encryptionSettings": [
              {"diskEncryptionKey": {"secretUrl": "https://kv/secrets/s/1",
                                     "sourceVault": {"id": "\(group)/Microsoft.KeyVault/vaults/kv"}},
               "keyEncryptionKey": {"keyUrl": "https://kek/keys/k/1",
                                    "sourceVault": {"id": "\(group)/Microsoft.KeyVault/vaults/kek"}}}]},
            "supportsHibernation": true, "burstingEnabled": true, "diskIOPSReadWrite": 3000, "diskMBpsReadWrite": 125,
            "supportedCapabilities": {"architecture": "x64", "diskControllerTypes": "SCSI, NVMe",
                                      "acceleratedNetwork": true},
            "networkAccessPolicy": "AllowPrivate", "publicNetworkAccess": "Disabled",
            "diskAccessId": "\(group)/Microsoft.Compute/diskAccesses/da", "dataAccessAuthMode": "AzureActiveDirectory",
            "creationData": {"createOption": "Copy", "logicalSectorSize": 4096}, "completionPercent": 37.5
          }
        }
        """

    @Test("A machine is read whole")
    func whole() throws {
        let machine = try BrokenVM(Self.json(Self.machine))
        #expect(machine.name == "web-01" && machine.resourceGroup == "rg" && machine.subscription == "s")
        #expect(machine.location == "westeurope" && machine.zones == ["2"] && machine.size == "Standard_D4s_v5")
        #expect(machine.computerName == "WEB-01")
        #expect(machine.licenseType == "Windows_Server" && machine.tags == ["owner": "me"] && machine.etag == "\"7\"")
        #expect(machine.plan == PurchasePlan(name: "p", publisher: "pub", product: "prod"))
        #expect(machine.securityType == .trustedLaunch && machine.encryptionAtHost)
        #expect(machine.networkInterfaces.map(\.name) == ["first", "second"])
        #expect(machine.dataDiskCount == 2 && machine.scaleSet?.name == "flex" && machine.isWindows)
        #expect(machine.bootDiagnostics == BootDiagnosticsSetting(isEnabled: true, storageURI: "https://x.blob"))
        let view = machine.view
        #expect(view.power == .running && view.generation == "V2" && view.computerName == "WEB-01")
        #expect(view.agent?.status == "Not Ready" && view.agent?.isReady == false)
        #expect(view.failures == ["ProvisioningState/failed/VMExtensionError: It failed."])
        let disk = machine.osDisk
        #expect(disk.id?.name == "web-01-os" && disk.name == "web-01-os" && disk.blob == nil && !disk.isEphemeral)
        #expect(disk.caching == "ReadWrite" && disk.createOption == "FromImage" && disk.deleteOption == "Delete")
        #expect(disk.writeAccelerator == true && disk.storageType == "Premium_LRS")
        #expect(disk.encryptionSet?.name == "des" && disk.confidentialEncryptionSet?.name == "cvm")
        #expect(disk.confidentialEncryption == "VMGuestStateOnly" && disk.encryption == nil)
    }

    @Test("Extensions are known by publisher and type, or by name where lists give no more")
    func extensions() throws {
        let machine = try BrokenVM(Self.json(Self.machine))
        #expect(machine.extensions.map(\.name) == ["CrowdStrikeFalconSensor", "NameAlone", "Seen"])
        #expect(machine.extensions.map(\.isFalcon) == [true, false, false])
        #expect(machine.extensions.map(\.isDiskEncryption) == [false, false, true])
        #expect(machine.hasGuestEncryption)
        let names: [(String, Bool)] = [
            ("CrowdStrikeFalconSensor", true), ("FalconSensorWindows", true), ("Millennium.Falcon", false),
            ("AzureMonitorWindowsAgent", false),
        ]
        for (name, isFalcon) in names { #expect(VMExtension(name: name).isFalcon == isFalcon, "\(name)") }
        #expect(!VMExtension(name: "falconsensor", publisher: "Somebody.Else", type: "Other").isFalcon)
    }

    @Test("A disk is read whole")
    func wholeDisk() throws {
        let disk = try ManagedDisk(Self.json(Self.disk))
        #expect(disk.sizeBytes == 136_367_308_800 && disk.sku == "PremiumV2_LRS" && disk.performanceTier == "P30")
        #expect(disk.generation == "V2" && disk.state == "Attached" && disk.maxShares == 2 && disk.zones == ["2"])
        #expect(disk.owner == ResourceID("\(Self.group)/Microsoft.Compute/virtualMachines/web-01"))
        #expect(disk.plan?.promotionCode == "c" && disk.hasSetPerformance && disk.completionPercent == 37.5)
        #expect(disk.security?.isSealed == true && disk.security?.encryptionSet?.name == "cvm")
        #expect(disk.encryptionType == "EncryptionAtRestWithCustomerKey" && disk.encryptionSet?.name == "des")
        #expect(disk.encryption?.isEnabled == true && disk.encryption?.version == "1.1")
        let key = try #require(disk.encryption?.keys.first)
        #expect(key.secretURL == "https://kv/secrets/s/1" && key.vault?.name == "kv")
        #expect(key.wrappingKeyURL == "https://kek/keys/k/1" && key.wrappingVault?.name == "kek")
        #expect(disk.supportsHibernation == true && disk.isBursting == true)
        #expect(disk.operationsPerSecond == 3000 && disk.megabytesPerSecond == 125 && disk.logicalSectorSize == 4096)
        #expect(disk.capabilities.architecture == "x64" && disk.capabilities.controllers == "SCSI, NVMe")
        #expect(disk.access.policy == "AllowPrivate" && disk.access.diskAccess?.name == "da")
        #expect(disk.access.publicNetwork == "Disabled" && disk.access.authMode == "AzureActiveDirectory")
    }

    @Test("What is not managed, lives on its host or is encrypted the older way is known as that")
    func otherDisks() throws {
        func osDisk(_ text: String) throws -> OSDiskReference {
            try BrokenVM(
                Self.json(
                    """
                    {"id": "\(Self.group)/Microsoft.Compute/virtualMachines/vm",
                     "properties": {"storageProfile": {"osDisk": \(text)}}}
                    """)
            ).osDisk
        }
        let unmanaged = try osDisk(#"{"name": "os", "vhd": {"uri": "https://a.blob/vhds/os.vhd"}}"#)
        #expect(unmanaged.id == nil && unmanaged.blob == "https://a.blob/vhds/os.vhd")
        #expect(try osDisk(#"{"diffDiskSettings": {"option": "Local", "placement": "CacheDisk"}}"#).isEphemeral)
        let encrypted = try osDisk(
            #"{"encryptionSettings": {"enabled": true, "diskEncryptionKey": {"secretUrl": "https://kv/secrets/s/1"}}}"#)
        #expect(encrypted.encryption?.isEnabled == true && encrypted.encryption?.keys.count == 1)
    }

    @Test("The least that Azure may say of a machine is enough to read it, and without an id it is none")
    func least() throws {
        let machine = try BrokenVM(Self.json(#"{"id": "\#(Self.group)/Microsoft.Compute/virtualMachines/vm"}"#))
        #expect(machine.securityType == .standard && machine.view.power == .unknown && machine.view.agent == nil)
        #expect(machine.generation == "V1" && !machine.isWindows && machine.extensions.isEmpty)
        #expect(throws: AzureError(.badAnswer, "", nextStep: "")) { try BrokenVM(Self.json(#"{"name": "vm"}"#)) }
        #expect(throws: AzureError(.badAnswer, "", nextStep: "")) { try ManagedDisk(Self.json("{}")) }
    }
}
