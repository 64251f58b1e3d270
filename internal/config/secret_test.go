package config

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/fault"
)

var long, other = strings.Repeat("TOPSECRET", 4), strings.Repeat("SECRETTOP", 4)

func TestASecretIsATextOrTwo(t *testing.T) {
	for text, want := range map[string][2]string{
		long:                         {long, ""},
		long + "\n":                  {long, ""},
		`{"current":"` + long + `"}`: {long, ""},
		`{"current":"` + long + `","previous":""}`:                           {long, ""},
		" {\"current\":\"" + long + "\",\n\"previous\":\"" + other + "\"}\n": {long, other},
	} {
		keys, err := Keys(text)
		if err != nil || string(keys[0].Value.Reveal()) != want[0] || keys[0].ID != "current" {
			t.Errorf("%q: %v, %v", text, keys, err)
			continue
		}
		if two := len(keys) == 2; two != (want[1] != "") || two && (string(keys[1].Value.Reveal()) != want[1] || keys[1].ID != "previous") {
			t.Errorf("%q: %d keys", text, len(keys))
		}
	}
}

func TestABadSecretIsRefusedInOneLineWithoutItsText(t *testing.T) { // security W1
	for name, text := range map[string]string{
		"empty": "", "blank": " \n\t", "short": "TOPSECRET", "31 bytes": strings.Repeat("x", 31), "empty object": "{}", "empty current": `{"current":""}`,
		"short current": `{"current":"TOPSECRET"}`, "short previous": `{"current":"` + long + `","previous":"TOPSECRET"}`, "no current": `{"previous":"` + long + `"}`,
		"unknown field": `{"current":"` + long + `","TOPSECRET":"x"}`, "wrong type": `{"current":["` + long + `"]}`, "truncated": `{"current":"` + long, "more after it": `{"current":"` + long + `"} {}`,
	} {
		keys, err := Keys(text)
		if !fault.Is(err, fault.Invalid) || keys != nil {
			t.Errorf("%s: %v, %v, want Invalid", name, keys, err)
		} else if s := err.Error(); strings.Contains(s, "TOPSECRET") || strings.Contains(s, "\n") {
			t.Errorf("%s: error %q", name, s)
		}
	}
}

func TestSecretsManagerIsAskedForTheSecretEachTime(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf"
	answers := []struct {
		code int
		body string
	}{
		{200, `{"ARN":"` + arn + `","SecretString":"` + long + `"}`},
		{200, `{"ARN":"` + arn + `","SecretString":"{\"current\":\"` + other + `\",\"previous\":\"` + long + `\"}"}`},
		{200, `{"ARN":"` + arn + `","SecretBinary":"AAAA"}`},
		{400, `{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}`},
	}
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" || string(body) != `{"SecretId":"`+arn+`"}` {
			t.Errorf("request %s %s, %v", r.Header.Get("X-Amz-Target"), body, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(answers[n].code)
		_, _ = io.WriteString(w, answers[n].body)
		n++
	}))
	defer srv.Close()
	read := fromSecretsManager(aws.Config{Region: "eu-west-1", BaseEndpoint: &srv.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")}, arn)
	for i, want := range []int{1, 2} {
		if keys, err := read(t.Context()); err != nil || len(keys) != want {
			t.Errorf("read %d: %v, %v", i, keys, err)
		}
	}
	if _, err := read(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), arn) {
		t.Errorf("a binary secret: %v", err)
	}
	if _, err := read(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), arn) {
		t.Errorf("no secret: %v", err)
	}
}
