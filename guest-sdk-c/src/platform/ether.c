// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses of Ethernet as text.
#include <netinet/ether.h>
#include <stdio.h>

char *ether_ntoa_r(const struct ether_addr *address, char *text)
{
	const uint8_t *at = address->ether_addr_octet;

	sprintf(text, "%x:%x:%x:%x:%x:%x", at[0], at[1], at[2], at[3], at[4], at[5]);
	return text;
}

char *ether_ntoa(const struct ether_addr *address)
{
	static char text[18];

	return ether_ntoa_r(address, text);
}

struct ether_addr *ether_aton_r(const char *text, struct ether_addr *address)
{
	unsigned int parts[6];
	char more;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5], &more) != 6)
		return NULL;
	for (int i = 0; i < 6; i++)
		address->ether_addr_octet[i] = parts[i];
	return address;
}

struct ether_addr *ether_aton(const char *text)
{
	static struct ether_addr address;

	return ether_aton_r(text, &address);
}
