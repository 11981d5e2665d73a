"""A template that makes a group, and in it a network and a machine whose interface is made with it."""

SCHEMA = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
PARAMETERS = {"osDisk": {"type": "string"}, "userData": {"type": "secureString"}}

_MACHINE = {
    "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-11-01", "name": "rescue",
    "location": "[resourceGroup().location]",
    "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', 'net')]"],
    "properties": {
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"osDisk": {
            "createOption": "Attach", "osType": "Linux", "managedDisk": {"id": "[parameters('osDisk')]"}}},
        "networkProfile": {"networkApiVersion": "2022-11-01", "networkInterfaceConfigurations": [{
            "name": "nic", "properties": {"deleteOption": "Delete", "ipConfigurations": [{
                "name": "one", "properties": {"subnet": {
                    "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'default')]"}}}]}}]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        "userData": "[parameters('userData')]"}}
_NETWORK = {
    "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "net",
    "location": "[resourceGroup().location]",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/24"]},
        "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}
TEMPLATE = {
    "$schema": SCHEMA, "contentVersion": "1.0.0.0",
    "parameters": {"group": {"type": "string"}, **PARAMETERS},
    "resources": [
        {
            "type": "Microsoft.Resources/resourceGroups", "apiVersion": "2024-03-01", "name": "[parameters('group')]",
            "location": "[deployment().location]"},
        {
            "type": "Microsoft.Resources/deployments", "apiVersion": "2024-03-01", "name": "rescue",
            "resourceGroup": "[parameters('group')]",
            "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('group'))]"],
            "properties": {
                "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {name: {"value": f"[parameters('{name}')]"} for name in PARAMETERS},
                "template": {
                    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    "contentVersion": "1.0.0.0", "parameters": PARAMETERS, "resources": [_NETWORK, _MACHINE]}}}],
    "outputs": {"machine": {
        "type": "string",
        "value": "[resourceId(parameters('group'), 'Microsoft.Compute/virtualMachines', 'rescue')]"}}}
