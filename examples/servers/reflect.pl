#!/usr/bin/perl
# A profile made of the phone's certificate: product, serial number and MAC in
# GPP_D. With "?issuer" the same fields of who issued it.
# Needs SSLOptions +StdEnvVars, see apache.conf.
use strict;
use warnings;

my %ESCAPES = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
  '"' => '&quot;', "'" => '&apos;');

sub field {
  my ($whose, $name) = @_;
  my $text = $ENV{"SSL_CLIENT_${whose}_DN_$name"} // '';
  $text =~ s/[\x00-\x1f\x7f]/?/g;
  $text =~ s/([&<>"'])/$ESCAPES{$1}/g;
  return $text;
}

if (($ENV{SSL_CLIENT_VERIFY} // '') ne 'SUCCESS') {
  print "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n",
    "This is for phones with a certificate.\n";
  exit;
}

my $whose = ($ENV{QUERY_STRING} // '') eq 'issuer' ? 'I' : 'S';

# mod_ssl has the state or province as _ST; _S would be a surname.
print "Content-Type: text/plain\r\n\r\n",
  '<flat-profile><GPP_D>OU=', field($whose, 'OU'), ",\nL=",
  field($whose, 'L'), ",\nS=", field($whose, 'ST'),
  "\n</GPP_D></flat-profile>\n";
