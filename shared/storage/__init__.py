"""Where things are kept: one repository per aggregate, over DynamoDB or in memory."""
